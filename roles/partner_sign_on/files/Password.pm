package PacslabPartner::Password;

# A partner's own judge of passwords: those of its people, of which it keeps the hashes that PacslabPartner::People makes.

use strict;
use warnings;

use Mouse;
use Lemonldap::NG::Portal::Main::Constants qw(PE_BADCREDENTIALS PE_OK);
use PacslabPartner::People;

extends 'Lemonldap::NG::Portal::Auth::_WebForm';

has authnLevel => ( is => 'rw', default => 2 );

sub authenticate {
    my ( $self, $req ) = @_;
    return PE_OK if PacslabPartner::People::shows( $req->user, $req->data->{password} );
    $self->setSecurity($req);
    return PE_BADCREDENTIALS;
}

sub authLogout { return PE_OK }

1;
