package Pacslab::Event;

# Writes what the sign-on did as one line of JSON, with the keys of docs/events.md, to the journal. The words come from
# the tables in simulators/events, which hosts need not carry.

use strict;
use warnings;

use Exporter 'import';
use JSON::XS;
use POSIX qw(strftime);
use Sys::Syslog qw(openlog syslog);
use Time::HiRes qw(gettimeofday);

our @EXPORT_OK = qw(event_line write_event);

use constant LONGEST => 200;

my $json = JSON::XS->new->canonical->allow_nonref->ascii;
my $open;

# The event as JSON: what it is comes first, then its facts by name. Facts that are not known are left out.
sub event_line {
    my ( $action, $outcome, $reason, %facts ) = @_;
    my ( $seconds, $microseconds ) = gettimeofday;
    my $time = strftime( '%Y-%m-%dT%H:%M:%S', gmtime $seconds ) . sprintf '.%03dZ', $microseconds / 1000;
    my @pairs = ( [ time => $time ], [ action => $action ], [ outcome => $outcome ], [ reason => $reason ] );
    push @pairs, map { [ $_ => $facts{$_} ] } sort keys %facts;
    return '{' . join( ', ', map { $json->encode( $_->[0] ) . ': ' . $json->encode( _plain( $_->[1] ) ) } grep { defined $_->[1] } @pairs ) . '}';
}

# Writes it; what did not succeed is a warning of the journal.
sub write_event {
    my ( $action, $outcome, $reason, %facts ) = @_;
    openlog( 'pacslab-sign-on', 'pid', 'authpriv' ) unless $open++;
    syslog( $outcome eq 'success' ? 'info' : 'warning', '%s', event_line(@_) );
    return;
}

# A value as it may stand in a log: cut, and with escapes for what a terminal would act on.
sub _plain {
    my ($value) = @_;
    return $value if ref $value;
    $value = substr $value, 0, LONGEST;
    $value =~ s/([\x00-\x1f\x7f-\x9f]|\p{Cf})/sprintf '\\u%04x', ord $1/ge;
    return $value;
}

1;
