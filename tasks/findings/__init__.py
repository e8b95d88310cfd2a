"""What a day shows beside its decisions: credit holds, habits, write-offs to propose, claims, provisions."""
