package PacslabPartner::People;

# Who there is at a partner. Passwords are hashed as they are read, so that a portal's processes hold no others.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use JSON::XS;
use Mouse;
use Lemonldap::NG::Portal::Main::Constants qw(PE_BADCREDENTIALS PE_OK);

extends 'Lemonldap::NG::Portal::Main::UserDB';

use constant FILE => '/etc/pacslab/sign-on/people.json';

my $people;

sub init {
    $people ||= _read();
    return 1;
}

sub getUser {
    my ( $self, $req ) = @_;
    return PE_OK if $people->{ $req->user || '' };
    $self->p->_authentication->setSecurity($req);
    return PE_BADCREDENTIALS;
}

sub setSessionInfo {
    my ( $self, $req ) = @_;
    my $person = $people->{ $req->user } or return PE_BADCREDENTIALS;
    $req->sessionInfo->{uid}       = $req->user;
    $req->sessionInfo->{givenName} = $person->{given};
    $req->sessionInfo->{sn}        = $person->{family};
    $req->sessionInfo->{cn}        = "$person->{given} $person->{family}";
    return PE_OK;
}

sub setGroups { return PE_OK }

# Whether a password is the person's.
sub shows {
    my ( $name, $password ) = @_;
    my $person = $people->{ $name || '' };
    return 0 if !$person || !defined $password;
    utf8::encode($password) if utf8::is_utf8($password);
    return crypt( $password, $person->{hash} ) eq $person->{hash};
}

# The lab has made the passwords: each is as good as a key, so that the hash need not be slow as well.
sub _read {
    open my $file, '<', FILE or die FILE . ": $!\n";
    local $/ = undef;
    my $read = decode_json(<$file>);
    for my $person ( values %{$read} ) {
        open my $random, '<:raw', '/dev/urandom' or die "no salt: $!\n";
        read $random, my $octets, 16;
        close $random;
        $person->{hash} = crypt delete $person->{password}, '$6$' . substr( sha256_hex($octets), 0, 16 ) . '$';
    }
    return $read;
}

1;
