package Pacslab::Peer;

# Who asks: the host by its name where a flow declares it, and the person by the name that was typed.

use strict;
use warnings;

use Exporter 'import';
use JSON::XS;

our @EXPORT_OK = qw(peer_of person_of);

use constant CALLERS => '/etc/pacslab/sign-on/callers.json';

my $callers;

sub peer_of {
    my ($req) = @_;
    $callers ||= _read();
    return $callers->{ $req->address } || $req->address;
}

# A name that could be somebody's. Anything else is left out: people type passwords into the wrong field.
sub person_of {
    my ($name) = @_;
    return defined $name && $name =~ /\A[a-z](?:[a-z0-9.-]{0,18}[a-z0-9])?\z/ ? $name : undef;
}

sub _read {
    open my $file, '<', CALLERS or die CALLERS . ": $!\n";
    local $/ = undef;
    return decode_json(<$file>);
}

1;
