package Pacslab::Log;

# LemonLDAP::NG's technical log: errors alone, as events, and without what somebody sent. Its lower levels name codes,
# tokens and whole addresses of requests.

use strict;
use warnings;

use Pacslab::Event qw(write_event);

sub new {
    my ($class) = @_;
    return bless {}, $class;
}

sub error {
    my ( $self, $message ) = @_;
    return if $message =~ /AcceptSecurityContext error, data/;    # a password was refused: Pacslab::SignOn tells of it
    local $@ = undef;    # the portal reads it after it has written here
    $message =~ s/\bvalue: .*//s;
    $message =~ s{\bhttps?://\S+}{(address)}g;
    write_event( 'work', 'failed', 'internal-error', worker => 'portal', detail => $message );
    return;
}

sub warn   { return }    ## no critic (ProhibitBuiltinHomonyms) LemonLDAP::NG calls it so
sub notice { return }
sub info   { return }
sub debug  { return }

1;
