package Pacslab::Audit;

# LemonLDAP::NG's audit log as events: who was asked for a second factor, who signed in, which application was opened.
# Wrong passwords are not in that log; Pacslab::SignOn tells of them.

use strict;
use warnings;

use Pacslab::Event qw(write_event);
use Pacslab::Peer qw(peer_of person_of);

# How an application was not opened, by the portal's own word for it.
my %AUTHORIZE = (
    PE_UNAUTHORIZEDPARTNER => 'role',
    PE_UNAUTHORIZEDURL     => 'foreign-redirect',
    PE_UNKNOWNPARTNER      => 'unknown-application',
);

# The second factors, by the portal's name and as people's descriptions call them.
my %FACTOR = ( totp => 'one-time-password', webauthn => 'security-key' );

my %EVENTS = (
    '2FA_REQUIRED' => sub { [ 'ask-second-factor', 'success', undef ] },
    '2FA_FAILED'   => sub {
        my ( $req, $told ) = @_;
        my $wrong = $told->{type} eq 'totp' ? 'wrong-code' : 'wrong-key';
        my $reason = $told->{user} ? $req->data->{pacslabReason} || $wrong : 'expired-form';
        return [ 'sign-in', 'refused', $reason, factor => $FACTOR{ $told->{type} } ];
    },
    LOGIN => sub {
        my ($req) = @_;
        my $session = $req->sessionInfo;
        my $factor  = $FACTOR{ $session->{_2f} || '' };
        return [ 'sign-in', 'success', undef, factor => $factor, home => $session->{_idpConfKey} ];
    },
    LOGOUT                    => sub { [ 'sign-out', 'success', undef ] },
    ISSUER_OIDC_LOGIN_SUCCESS => sub { [ 'authorize', 'success', undef, application => $_[1]{rp} ] },
    ISSUER_OIDC_LOGIN_FAILED  => sub {
        my ( $req, $told ) = @_;
        my $reason = $req->data->{pacslabReason} || $AUTHORIZE{ $told->{portal_error} || '' } || 'invalid-request';
        return [ 'authorize', 'refused', $reason, application => $req->data->{_oidc_rp} ];
    },
    ISSUER_OIDC_ID_TOKEN  => sub { [ 'issue-token', 'success', undef, application => $_[1]{rp} ] },
    UNAUTHORIZED_REDIRECT => sub { [ 'authorize', 'refused', 'foreign-redirect' ] },
    ACCESS_REFUSED        => sub { [ 'authorize', 'refused', 'role' ] },
);

sub new {
    my ($class) = @_;
    return bless {}, $class;
}

sub log {    ## no critic (ProhibitBuiltinHomonyms) LemonLDAP::NG calls it so
    my ( $self, $req, %told ) = @_;
    my $event = $EVENTS{ $told{code} || '' } or return;
    my ( $action, $outcome, $reason, %facts ) = @{ $event->( $req, \%told ) };
    write_event( $action, $outcome, $reason, person => person_of( $told{user} ), peer => peer_of($req), %facts );
    return;
}

1;
