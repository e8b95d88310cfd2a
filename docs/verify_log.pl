#!/usr/bin/perl
# Verifies the published log of Relance without Relance: perl docs/verify_log.pl WORKSPACE/published/audit [HEADS...]
# HEADS are files of heads kept elsewhere. Exit code 0: the chain holds and contains every head; 6: it does not.
use strict; use warnings;
use Digest::SHA qw(sha256_hex);
my ($folder, @kept) = @ARGV;
die "usage: verify_log.pl FOLDER [HEADS...]\n" unless defined $folder && -d $folder;
my ($previous, $count, $broken, %hash_of) = ("", 0, 0);
sub wrong { print "WRONG: @_\n"; $broken++ }
for my $file (sort glob "\Q$folder\E/events-*.jsonl") {
    open my $lines, "<:raw", $file or die "$file: $!\n";
    while (my $line = <$lines>) {
        $count++;
        my ($record, $hash) = $line =~ /^(\{.*),"hash":"([0-9a-f]{64})"\}\n$/ or wrong("$file: line $. is no event"), next;
        $record .= "}";
        my ($named) = $record =~ /"previous_hash":"([0-9a-f]*)","recorded_at":"[^"]*","run_id":"(?:[^"\\]|\\.)*","sequence":$count\}$/;
        wrong("event $count was changed: its hash does not fit its content") if sha256_hex($record) ne $hash;
        wrong("event $count does not follow on the one before") if !defined $named || $named ne $previous;
        $hash_of{$count} = $previous = $hash;
    }
}
for my $file ("$folder/head.json", "$folder/heads.jsonl", @kept) {
    open my $heads, "<:raw", $file or wrong("$file: $!"), next;
    my $text = do { local $/; <$heads> };
    while ($text =~ /"sequence":\s*([1-9]\d*),\s*"hash":\s*"([0-9a-f]{64})"/g) {
        wrong("event $1 is missing or replaced: $file holds its hash $2") if ($hash_of{$1} // "") ne $2;
    }
}
print $broken ? "The log does not hold.\n" : "The log holds: $count events, the last is $previous.\n";
exit($broken ? 6 : 0);
