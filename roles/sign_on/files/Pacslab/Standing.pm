package Pacslab::Standing;

# Whether somebody who is signed in may go on, and as what: the directory is asked each time an application confirms a
# session (OpenID Connect Core 1.0, 5.3), and when an application is opened with one. Roles are those of now. Of whom the
# account is closed, the session ends, at the sign-on and at every application. For a partner's people the description
# stands in the directory's place: whether the partner is trusted, and what its people are.

use strict;
use warnings;

use Mouse;
use Lemonldap::NG::Portal::Main::Constants qw(PE_BADCREDENTIALS PE_OK PE_SESSIONEXPIRED);
use Pacslab::Event qw(write_event);
use Pacslab::Peer qw(peer_of person_of);

extends 'Lemonldap::NG::Portal::Main::Plugin';

use constant hook        => { oidcGenerateUserInfoResponse => 'confirm' };
use constant forAuthUser => 'confirmHere';
use constant ISSUER      => 'Lemonldap::NG::Portal::Issuer::OpenIDConnect';
use constant DIRECTORY   => 'Lemonldap::NG::Portal::UserDB::AD';

# Flags of an account (MS-ADTS 2.2.16), and the attribute of the portal's that has them; the first that is set is told.
my @CLOSED = (
    [ _AD_userAccountControl => 0x2,  'account-disabled' ],
    [ _AD_msDS_UACC          => 0x10, 'account-locked' ],
);

sub init { return 1 }

# An application confirms a session.
sub confirm {
    my ( $self, $req, $claims, $application, $session ) = @_;
    my $now = $self->_standing( $req, $session, $application );
    return PE_OK if !$now;
    return PE_SESSIONEXPIRED if $now->{closed};
    my @roles = split /\Q$self->{conf}{multiValuesSeparator}\E/, $now->{groups};
    delete $claims->{groups};
    $claims->{groups} = \@roles if @roles;
    return PE_OK;
}

# A browser comes with a session.
sub confirmHere {
    my ( $self, $req ) = @_;
    my $now = $self->_standing( $req, $req->userData ) or return PE_OK;
    return PE_SESSIONEXPIRED if $now->{closed};
    $req->userData->{$_} = $now->{$_} for qw(groups hGroups);
    return PE_OK;
}

# How the directory has a person, which the session then has too; nothing while the directory does not answer: whoever is
# signed in goes on then.
sub _standing {
    my ( $self, $req, $session, $application ) = @_;
    my $person = person_of( $session->{ $self->conf->{whatToTrace} } ) or return { closed => 'unknown-account' };
    my @who = ( person => $person, peer => peer_of($req), application => $application );
    my $home = $session->{_idpConfKey};
    my ( $answer, $now ) = $home ? ( PE_OK, $self->_visitor($home) ) : $self->_ask( $req, $person );
    if ( $answer != PE_OK && $answer != PE_BADCREDENTIALS ) {
        write_event( 'confirm-session', 'failed', 'unreachable', @who );
        return;
    }
    my $closed = $answer == PE_OK ? _closed($now) : 'unknown-account';
    if ($closed) {
        write_event( 'confirm-session', 'refused', $closed, @who );
        $self->_end( $req, $session->{_session_id} );
        return { closed => $closed };
    }
    $self->p->updateSession( $req, { map { $_ => $now->{$_} } qw(groups hGroups) }, $session->{_session_id} )
      if $now->{groups} ne ( $session->{groups} || '' );
    return $now;
}

# What the directory answers of a person. The request is used for it as when somebody signs in, and is then as it was.
sub _ask {
    my ( $self, $req, $person ) = @_;
    local $req->{user}        = $person;
    local $req->{sessionInfo} = {};
    local $req->{data}        = {};
    my $directory = $self->p->loadedModules->{ +DIRECTORY };
    my $answer    = $directory->getUser($req);
    for my $step (qw(setSessionInfo setGroups)) {
        $answer = $directory->$step($req) if $answer == PE_OK;
    }
    return ( $answer, $req->{sessionInfo} );
}

# What somebody of a partner is.
sub _visitor {
    my ( $self, $home ) = @_;
    my $partner = ( $self->conf->{pacslabPartners} || {} )->{$home};
    return { cut => 1 } if !$partner || !$partner->{trusted};
    my $role = $partner->{role};
    return { groups => $role, hGroups => { $role => { name => $role } } };
}

sub _closed {
    my ($now) = @_;
    return 'partner-cut' if $now->{cut};
    for my $flag (@CLOSED) {
        my ( $attribute, $bit, $reason ) = @{$flag};
        return $reason if ( $now->{$attribute} || 0 ) & $bit;
    }
    return;
}

sub _end {
    my ( $self, $req, $id ) = @_;
    my $session = $self->p->getApacheSession($id) or return;
    local $req->{userData}    = $session->data;
    local $req->{sessionInfo} = { %{ $session->data } };
    $self->p->loadedModules->{ +ISSUER }->logout($req);
    $self->p->_deleteSession( $req, $session, 1 );
    return;
}

1;
