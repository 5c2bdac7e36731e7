package Pacslab::Partner;

# People of a partner, who come with what their own sign-on says of them (SAML 2.0 Profiles 4.1). LemonLDAP::NG verifies
# who has signed it, for whom and until when it is; this sees that it answers what this very browser asked, once, that it
# was to be brought here, and that both factors were shown at home. What a partner says of roles is not read at all.

use strict;
use warnings;

use Mouse;
use Lemonldap::NG::Portal::Lib::SAML;
use Lemonldap::NG::Portal::Main::Constants
  qw(PE_MALFORMEDUSER PE_NO_SECOND_FACTORS PE_OK PE_SAML_CONDITIONS_ERROR PE_SAML_DESTINATION_ERROR
  PE_SAML_IDPSSOINITIATED_NOTALLOWED PE_SAML_SIGNATURE_ERROR PE_SAML_SSO_ERROR);
use Pacslab::Event qw(write_event);
use Pacslab::Peer qw(browser_of peer_of person_of);

extends 'Lemonldap::NG::Portal::Main::Plugin';

use constant ASKED     => '/run/pacslab-sign-on/asked';
use constant ANSWERED  => '/saml/proxySingleSignOnPost';
use constant LONGEST   => 600;    # seconds from the question to the answer: the time to sign in at home
use constant TOLERANCE => 10;     # seconds between two clocks
use constant aroundSub => { extractFormInfo => 'tellOfAnswer', secondFactor => 'trustHome' };
use constant hook => { samlGenerateAuthnRequest => 'remember', samlGotAuthnResponse => 'accept' };

# Why LemonLDAP::NG refuses an answer. Of everything else it says no more than that it is none.
my %REFUSED = (
    PE_SAML_SIGNATURE_ERROR()            => 'bad-signature',
    PE_SAML_CONDITIONS_ERROR()           => 'other-conditions',
    PE_SAML_DESTINATION_ERROR()          => 'other-conditions',
    PE_SAML_IDPSSOINITIATED_NOTALLOWED() => 'unasked-answer',
);

# What was asked is kept here, with the browser that was sent: LemonLDAP::NG's own list of it knows no browser.
Lemonldap::NG::Portal::Lib::SAML->meta->add_around_method_modifier( replayProtection => sub { return 1 } );

sub init { return 1 }

sub remember {
    my ( $self, $req, $partner, $login ) = @_;
    unlink grep { time - ( ( stat $_ )[9] || 0 ) > LONGEST } glob ASKED . '/*';
    my $file = _file( $login->request->ID ) or return PE_SAML_SSO_ERROR;
    open my $out, '>', $file or die "$file: $!\n";
    print {$out} browser_of($req);
    close $out or die "$file: $!\n";
    return PE_OK;
}

sub accept {    ## no critic (ProhibitBuiltinHomonyms) what it does
    my ( $self, $req, $partner, $login ) = @_;
    my $reason = $self->_unacceptable( $req, $login ) or return PE_OK;
    $req->data->{pacslabReason} = $reason;
    return PE_SAML_SSO_ERROR;
}

# The subject's confirmation is part of what is signed (SAML 2.0 Profiles 4.1.4.3).
sub _unacceptable {
    my ( $self, $req, $login ) = @_;
    my $confirmed = eval { $login->get_assertion->Subject->SubjectConfirmation->SubjectConfirmationData };
    my $asked = $confirmed && $confirmed->InResponseTo or return 'unasked-answer';
    return 'unasked-answer' if ( $login->response->InResponseTo || '' ) ne $asked;
    return 'other-conditions' if ( $confirmed->Recipient || '' ) ne $self->conf->{portal} . ANSWERED;
    return 'other-conditions' if _seconds( $confirmed->NotOnOrAfter ) + TOLERANCE <= time;
    my $browser = _take($asked) or return 'used-answer';
    return 'other-browser' if $browser ne browser_of($req);
    return;
}

# The browser that was sent with a question; nobody's a second time. Of two requests at once one removes the file.
sub _take {
    my ($asked) = @_;
    my $file = _file($asked) or return;
    open my $in, '<', $file or return;
    my $browser = <$in>;
    close $in;
    my $age = time - ( ( stat $file )[9] || 0 );
    return unlink($file) && $age <= LONGEST ? $browser : undef;
}

sub _file {
    my ($asked) = @_;
    return $asked =~ /\A([0-9A-Za-z_-]{16,64})\z/ ? ASKED . "/$1" : undef;
}

sub _seconds {
    my ($written) = @_;
    my @parts = ( $written || '' ) =~ /\A(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?Z\z/ or return 0;
    require Time::Local;
    my ( $year, $month, $day, $hour, $minute, $second ) = @parts;
    return eval { Time::Local::timegm( $second, $minute, $hour, $day, $month - 1, $year ) } || 0;
}

# An answer came, and either somebody is named in it, or it is on record why not.
sub tellOfAnswer {
    my ( $self, $extract, $req ) = @_;
    my $answer = $extract->($req);
    return $answer if $req->path_info ne ANSWERED;
    if ( $answer != PE_OK ) {
        $self->_refused( $req, undef, $req->data->{pacslabReason} || $REFUSED{$answer} || 'foreign-answer' );
        return $answer;
    }
    return PE_OK if person_of( $req->user . '@' . $req->data->{_idpConfKey} );
    $self->_refused( $req, undef, 'malformed-name' );
    return PE_MALFORMEDUSER;
}

# The second factor is the home's.
sub trustHome {
    my ( $self, $ask, $req ) = @_;
    my $session = $req->sessionInfo;
    return $ask->($req) if !$session->{_idpConfKey};
    return PE_OK if ( $session->{authenticationLevel} || 0 ) >= $self->conf->{totp2fAuthnLevel};
    $self->_refused( $req, $session->{ $self->conf->{whatToTrace} }, 'no-second-factor' );
    return PE_NO_SECOND_FACTORS;
}

sub _refused {
    my ( $self, $req, $name, $reason ) = @_;
    write_event( 'sign-in', 'refused', $reason, person => person_of($name), peer => peer_of($req) );
    return;
}

1;
