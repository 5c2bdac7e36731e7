package Pacslab::Delay;

# LemonLDAP::NG's delay after failed attempts, which is told as an event.

use strict;
use warnings;

use Mouse;
use Lemonldap::NG::Portal::Main::Constants qw(PE_WAIT);
use Pacslab::Event qw(write_event);
use Pacslab::Peer qw(peer_of person_of);

extends 'Lemonldap::NG::Portal::Plugins::BruteForceProtection';

around run => sub {
    my ( $run, $self, $req ) = @_;
    my $answer = $self->$run($req);
    if ( $answer == PE_WAIT ) {
        write_event( 'sign-in', 'refused', 'too-many-attempts', person => person_of( $req->user ), peer => peer_of($req) );
    }
    return $answer;
};

1;
