package Pacslab::SignOn;

# What the hospital's sign-on does beyond LemonLDAP::NG: it tells of passwords that were refused, asks everybody for a
# second factor, takes a one-time password once (RFC 6238 5.2), keeps a session to the browser and the address that it
# began at, and takes the code flow with a hashed proof key alone (RFC 7636 4.2, RFC 9700 2.1.1).

use strict;
use warnings;

use Fcntl qw(:flock O_CREAT O_RDWR);
use Mouse;
use Lemonldap::NG::Portal::Main::Issuer;
use Lemonldap::NG::Portal::Main::Constants
  qw(PE_BADOTP PE_ERROR PE_LDAPCONNECTFAILED PE_LDAPERROR PE_MALFORMEDUSER PE_NO_SECOND_FACTORS PE_OK PE_PP_ACCOUNT_LOCKED
  PE_PP_CHANGE_AFTER_RESET PE_PP_PASSWORD_EXPIRED PE_SESSIONEXPIRED PE_WAIT);
use Pacslab::Event qw(write_event);
use Pacslab::Peer qw(browser_of peer_of person_of);

extends 'Lemonldap::NG::Portal::Main::Plugin';

use constant USED        => '/var/lib/pacslab-sign-on/used';
use constant forAuthUser => 'sameBrowser';
use constant aroundSub   => {
    authenticate    => 'tellOfPassword',
    extractFormInfo => 'tellOfForm',
    getUser         => 'tellOfAccount',
    secondFactor    => 'requireSecondFactor',
};
use constant afterSub => { setSessionInfo => 'rememberBrowser' };
use constant hook => {
    oidcGotRequest => 'checkRequest',
    sfAfterVerify  => 'acceptOnce',
};

# Why a directory refuses a password, by the number in its answer to a bind (MS-ERREF 2.2).
my %BIND = (
    '52e' => 'wrong-password',
    '525' => 'unknown-account',
    '530' => 'account-restricted',
    '531' => 'account-restricted',
    '532' => 'password-expired',
    '533' => 'account-disabled',
    '701' => 'account-disabled',
    '773' => 'password-expired',
    '775' => 'account-locked',
);

# While somebody signs in, the portal keeps the application's request, and takes it up again afterwards with all that was
# known of it: also the address and the browser that it came from then. Who comes now stays who comes now.
Lemonldap::NG::Portal::Main::Issuer->meta->add_around_method_modifier(
    restoreRequest => sub {
        my ( $restore, $self, $req, @rest ) = @_;
        my %here     = map { $_ => $req->env->{$_} } qw(HTTP_USER_AGENT REMOTE_ADDR);
        my $restored = $self->$restore( $req, @rest );
        @{ $req->env }{ keys %here } = values %here;
        return $restored;
    }
);

sub init { return 1 }

sub tellOfForm {
    my ( $self, $extract, $req ) = @_;
    my $answer = $extract->($req);
    $self->_refused( $req, 'malformed-name' ) if $answer == PE_MALFORMEDUSER;
    return $answer;
}

sub tellOfAccount {
    my ( $self, $find, $req, @rest ) = @_;
    my $answer = $find->( $req, @rest );
    if ( $answer == PE_LDAPCONNECTFAILED || $answer == PE_LDAPERROR ) {
        write_event( 'sign-in', 'failed', 'unreachable', $self->_who($req) );
    }
    elsif ( $answer != PE_OK ) {
        $self->_refused( $req, 'unknown-account' );
    }
    return $answer;
}

sub tellOfPassword {
    my ( $self, $authenticate, $req ) = @_;
    my $answer = $authenticate->($req);
    return $answer if $answer == PE_OK || $answer == PE_WAIT;
    if ( $answer == PE_LDAPCONNECTFAILED || $answer == PE_LDAPERROR ) {
        write_event( 'sign-in', 'failed', 'unreachable', $self->_who($req) );
        return $answer;
    }
    my ($number) = ( $req->data->{ldapError} || '' ) =~ /\bdata ([0-9a-f]+)/;
    my $expired = $answer == PE_PP_PASSWORD_EXPIRED || $answer == PE_PP_CHANGE_AFTER_RESET;
    my $reason = $BIND{ $number || '' } || ( $expired ? 'password-expired' : 'wrong-password' );
    $self->_refused( $req, $reason );
    return $reason eq 'account-locked' ? PE_PP_ACCOUNT_LOCKED : $answer;    # a person learns that trying again is no use
}

# Nobody gets in by a password alone, and nobody enrols a second factor with one.
sub requireSecondFactor {
    my ( $self, $ask, $req ) = @_;
    return $ask->($req) if $self->p->_sfEngine->searchForAuthorized2Fmodules($req);
    $self->_refused( $req, 'no-second-factor' );
    return PE_NO_SECOND_FACTORS;
}

sub acceptOnce {
    my ( $self, $req, $module, $session, $verified ) = @_;
    return PE_OK if $verified->{result} != PE_OK || $module->prefix ne 'totp';
    my $person = person_of( $session->{ $self->conf->{whatToTrace} } ) or return PE_ERROR;
    # `range` counts periods back from now: 1 is a code of the period before.
    my $period = int( time / $self->conf->{totp2fInterval} ) - $verified->{logInfo}{range};
    return PE_OK if _later( $person, $period );
    $req->data->{pacslabReason} = 'used-code';
    $verified->{result} = PE_BADOTP;
    return PE_OK;
}

# Whether the period is later than any of which this person has used a code; then it is kept. Two requests at the same
# time, in two processes, wait for each other.
sub _later {
    my ( $person, $period ) = @_;
    sysopen my $file, USED . "/$person", O_RDWR | O_CREAT, 0600 or die "one-time passwords that were used: $!\n";
    flock $file, LOCK_EX or die "one-time passwords that were used: $!\n";
    my $last = <$file> || 0;
    return 0 if $period <= $last;
    seek $file, 0, 0;
    truncate $file, 0;
    print {$file} $period or die "one-time passwords that were used: $!\n";
    return close $file;
}

# A session's cookie is worth nothing in another browser or at another address.
sub rememberBrowser {
    my ( $self, $req ) = @_;
    $req->sessionInfo->{_browser} = browser_of($req);
    return PE_OK;
}

sub sameBrowser {
    my ( $self, $req ) = @_;
    my $session = $req->userData;
    return PE_OK if ( $session->{_browser} || '' ) eq browser_of($req);
    my $person = person_of( $session->{ $self->conf->{whatToTrace} } );
    write_event( 'sign-in', 'refused', 'other-browser', person => $person, peer => peer_of($req) );
    return PE_SESSIONEXPIRED;
}

sub checkRequest {
    my ( $self, $req, $request ) = @_;
    my $hashed = ( $request->{code_challenge_method} || '' ) eq 'S256' && $request->{code_challenge};
    return PE_OK if $hashed && !defined $request->{request} && !defined $request->{request_uri};
    $req->data->{pacslabReason} = 'no-proof-key' unless $hashed;
    return PE_ERROR;
}

sub _who {
    my ( $self, $req ) = @_;
    return ( person => person_of( $req->user ), peer => peer_of($req) );
}

sub _refused {
    my ( $self, $req, $reason ) = @_;
    write_event( 'sign-in', 'refused', $reason, $self->_who($req) );
    return;
}

1;
