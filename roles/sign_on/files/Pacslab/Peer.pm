package Pacslab::Peer;

# Who asks: the host by its name where a flow declares it, its browser, and the person by the name that was typed.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Exporter 'import';
use JSON::XS;

our @EXPORT_OK = qw(browser_of peer_of person_of);

use constant CALLERS => '/etc/pacslab/sign-on/callers.json';

my $callers;

sub peer_of {
    my ($req) = @_;
    $callers ||= _read();
    return $callers->{ $req->address } || $req->address;
}

# A browser at its address, as a word that tells nothing of either.
sub browser_of {
    my ($req) = @_;
    return sha256_hex( $req->address . "\n" . ( $req->env->{HTTP_USER_AGENT} || '' ) );
}

# A name that could be somebody's, of the house or of a partner. Anything else is left out: people type passwords into the
# wrong field.
sub person_of {
    my ($name) = @_;
    my $named = qr/\A[a-z](?:[a-z0-9.-]{0,18}[a-z0-9])?(?:\@[a-z](?:[a-z0-9-]{0,29}[a-z0-9])?)?\z/;
    return defined $name && $name =~ $named ? $name : undef;
}

sub _read {
    open my $file, '<', CALLERS or die CALLERS . ": $!\n";
    local $/ = undef;
    return decode_json(<$file>);
}

1;
