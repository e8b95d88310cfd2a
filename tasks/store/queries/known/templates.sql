select distinct step from actions
