#!/usr/bin/env bash
# A Snowflake user in, an encrypted RSA key for it out, and the SQL that makes the account know the public half.
#
# The SQL goes to standard output and everything that is said to people to standard error, so that it can be kept,
# reviewed, or run by any tool. Private keys and passphrases are never shown, and never stand in an argument.
# Needs bash 3.2, openssl (or LibreSSL) and nothing else; macOS and Linux.

set -euo pipefail
set +o xtrace # a trace would show the passphrase
umask 077

readonly BITS=2048
program=$(basename "$0")
readonly program

usage() {
    cat <<EOF
Usage:
  $program create --user NAME [--key FILE] [--generate-passphrase] [--apply [-- FLAGS]]
  $program rotate --user NAME --key FILE   [--slot 1|2] [--generate-passphrase] [--apply [-- FLAGS]]
  $program retire --user NAME [--slot 1|2] [--apply [-- FLAGS]]
  $program check  --user NAME [--key FILE] [--fingerprint SHA256:... | --apply [-- FLAGS]]

  create   make a key, and the SQL that registers it as RSA_PUBLIC_KEY
  rotate   make the next key beside the one in use, and the SQL that registers it as RSA_PUBLIC_KEY_2 (--slot 2)
  retire   the SQL that takes the old key away (--slot 1), once every job logs in with the new one
  check    the fingerprint of a key, held against what the account has

  --key FILE   the private key, encrypted PKCS#8 in PEM; never overwritten.  [default: NAME.p8]
  --slot       which of the user's two keys; they take turns, so the next rotation is --slot 1, then retire --slot 2
  --apply      run the SQL with mesh snowflake apply, FLAGS being its own (--connection NAME, --yes); check asks
               the account with mesh snowflake keys

The passphrase is taken from SNOWFLAKE_PRIVATE_KEY_PASSPHRASE or DBT_ENV_SECRET_SNOWFLAKE_KEY_PASSPHRASE, or asked
for, or with --generate-passphrase made and written to FILE.pass, which only you may read.
EOF
}

fail() {
    printf 'error: %s\n  next: %s\n' "$1" "$2" >&2
    exit "${3:-2}"
}

say() { printf '%s\n' "$*" >&2; }

# --- the passphrase ---------------------------------------------------------------------------------------------------

ask_silently() {
    local typed
    # Written out now: at the exit nobody knows a local variable any more. INT is left alone, so that it ends all of us.
    # shellcheck disable=SC2064
    trap "stty $(stty -g </dev/tty) </dev/tty" EXIT
    stty -echo </dev/tty # before it asks: whoever types ahead is not shown either
    printf '%s: ' "$1" >&2
    IFS= read -r typed </dev/tty
    printf '\n' >&2
    printf '%s' "$typed"
}

find_passphrase() {
    KEY_PASSPHRASE=${SNOWFLAKE_PRIVATE_KEY_PASSPHRASE:-${DBT_ENV_SECRET_SNOWFLAKE_KEY_PASSPHRASE:-}}
    if [[ -z $KEY_PASSPHRASE && -f $key.pass ]]; then
        KEY_PASSPHRASE=$(<"$key.pass")
    fi
}

# For a key that is there: asked for once.
need_passphrase() {
    find_passphrase
    if [[ -z $KEY_PASSPHRASE ]]; then
        [[ -t 0 ]] || fail "nothing says the passphrase of $key" "export SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"
        KEY_PASSPHRASE=$(ask_silently "passphrase of $key")
    fi
    export KEY_PASSPHRASE
}

# For a key that is to be made: asked for twice, or generated.
choose_passphrase() {
    if [[ $generate == yes ]]; then
        [[ ! -e $key.pass ]] || fail "$key.pass exists, and is not overwritten" "name another --key"
        KEY_PASSPHRASE=$(openssl rand -base64 32)
        claim "$key.pass"
        printf '%s\n' "$KEY_PASSPHRASE" >"$key.pass" || fail "$key.pass cannot be written" "see what is said above" 3
    else
        find_passphrase
        if [[ -z $KEY_PASSPHRASE ]]; then
            [[ -t 0 ]] || fail "nothing says a passphrase for $key" \
                "export SNOWFLAKE_PRIVATE_KEY_PASSPHRASE, or type --generate-passphrase"
            local again
            KEY_PASSPHRASE=$(ask_silently "passphrase for $key")
            again=$(ask_silently "once more")
            [[ $KEY_PASSPHRASE == "$again" ]] || fail "the two passphrases differ" "run it again"
        fi
        ((${#KEY_PASSPHRASE} >= 8)) || fail "the passphrase has fewer than 8 characters" "choose a longer one"
    fi
    export KEY_PASSPHRASE
}

# --- the key ----------------------------------------------------------------------------------------------------------

made=()
forget_what_is_unfinished() {
    if ((${#made[@]})); then rm -f -- "${made[@]}"; fi
}

# With noclobber this fails where a file is, also one that has come to be since we looked.
claim() {
    (set -o noclobber && : >"$1") || fail "$1 cannot be written" "name another --key"
    made+=("$1")
}

make_key() {
    [[ ! -e $key ]] || fail "$key exists, and is not overwritten" "name another --key, or move it away"
    [[ -d $(dirname "$key") ]] || fail "there is no folder $(dirname "$key")" "mkdir -p $(dirname "$key")"
    trap forget_what_is_unfinished EXIT
    choose_passphrase
    claim "$key"
    # The unencrypted key is in a pipe alone, never on a disk.
    openssl genrsa "$BITS" 2>/dev/null | openssl pkcs8 -topk8 -v2 aes-256-cbc -passout env:KEY_PASSPHRASE >"$key" ||
        fail "openssl made no key" "see that openssl version says 1.1 or later, or LibreSSL 3" 3
    # Not every openssl says that a disk is full.
    grep -q '^-----END ENCRYPTED PRIVATE KEY-----$' "$key" ||
        fail "$key was not written whole" "see that the disk has room, and run it again" 3
    public_key >/dev/null
    made=()
    say "made $key, encrypted, for you alone to read"
    if [[ $generate == yes ]]; then say "its passphrase is in $key.pass"; fi
}

# The public half as Snowflake takes it: one line of base64, without PEM's first and last line.
public_key() {
    openssl pkey -in "$key" -passin env:KEY_PASSPHRASE -pubout 2>/dev/null | sed '/^-----/d' | tr -d '\n' ||
        fail "$key cannot be read with this passphrase" "export SNOWFLAKE_PRIVATE_KEY_PASSPHRASE as it was made with"
}

# As DESCRIBE USER shows it in RSA_PUBLIC_KEY_FP.
fingerprint() {
    public_key >/dev/null # says what is wrong with it
    printf 'SHA256:%s' "$(openssl pkey -in "$key" -passin env:KEY_PASSPHRASE -pubout -outform DER 2>/dev/null |
        openssl dgst -sha256 -binary | openssl enc -base64)"
}

# --- the account ------------------------------------------------------------------------------------------------------

# The property of a slot.
property() { if [[ $1 == 1 ]]; then printf 'rsa_public_key'; else printf 'rsa_public_key_2'; fi; }

# As DESCRIBE USER names the fingerprint of what is in it.
property_shown() { printf '%s_FP' "$(property "$1" | tr '[:lower:]' '[:upper:]')"; }

# The user's keys as mesh prints them. Of the flags for mesh snowflake apply it has all but two.
ask_account() {
    local flag asked=()
    for flag in ${flags[@]+"${flags[@]}"}; do
        [[ $flag == --yes || $flag == --dry-run ]] || asked+=("$flag")
    done
    mesh snowflake keys "$user" ${asked[@]+"${asked[@]}"}
}

# Whoever logs in with the key that a slot has is locked out as soon as there is another one in it.
need_empty_slot() {
    [[ $apply == yes ]] || return 0
    local known
    known=$(ask_account) || fail "nobody says which keys $user has" "see what mesh says above" 3
    if grep -qw "$(property_shown "$slot")" <<<"$known"; then
        fail "$user has a key in slot $slot, and whoever logs in with it would be locked out" \
            "rotate into slot $((3 - slot)), or $program retire --user $user --slot $slot once nobody uses it" 1
    fi
}

emit() {
    local sql="-- $1
use role useradmin;
alter user $user $2;"
    if [[ $apply == no ]]; then
        printf '%s\n' "$sql"
        return
    fi
    local script
    script=$(mktemp "${TMPDIR:-/tmp}/keypair.XXXXXX")
    made+=("$script")
    trap forget_what_is_unfinished EXIT
    printf '%s\n' "$sql" >"$script"
    mesh snowflake apply "$script" ${flags[@]+"${flags[@]}"} ||
        fail "the account does not have it" "$3" 3
}

register() {
    local about files=$key
    if [[ $generate == yes ]]; then files="$key and $key.pass"; fi
    about="the $1 key of $user; its fingerprint is $(fingerprint)"
    if [[ $apply == no ]]; then
        about="$about
-- only where describe user shows no $(property_shown "$slot"): whoever logs in with that key is locked out by this"
    fi
    emit "$about" "set $(property "$slot") = '$(public_key)'" "remove $files, which nobody knows, and run it again"
    say "fingerprint $(fingerprint)"
}

create() {
    need_empty_slot
    make_key
    register first
    say "next: run the SQL, then give $key and its passphrase to whoever logs in as $user"
}

rotate() {
    need_empty_slot
    make_key
    register next
    say "next: run the SQL; give the new key to every job of $user and see one log in with it;"
    say "      then $program retire --user $user --slot $((3 - slot))"
}

retire() {
    local known other=$((3 - slot)) about="the key of $user that nobody uses any more"
    if [[ $apply == no ]]; then
        about="$about
-- only where describe user shows $(property_shown "$other"), with which everybody logs in by now"
    else
        known=$(ask_account) || fail "nobody says which keys $user has" "see what mesh says above" 3
        if ! grep -qw "$(property_shown "$other")" <<<"$known"; then
            say "warning: $user has no other key: until there is one, nobody logs in as $user by key"
        fi
    fi
    emit "$about" "unset $(property "$slot")" "run it again"
    say "next: see that jobs still log in; until then the other key can be set again"
}

check() {
    [[ -f $key ]] || fail "$key is missing" "name it with --key, or make one: $program create --user $user"
    need_passphrase
    local ours known
    ours=$(fingerprint)
    if [[ $apply == yes ]]; then
        known=$(ask_account) || fail "nobody says which keys $user has" "see what mesh says above" 3
    elif [[ -n $expected ]]; then
        known=$expected
    else
        printf -- '-- RSA_PUBLIC_KEY_FP or RSA_PUBLIC_KEY_2_FP has to be %s\ndescribe user %s;\n' "$ours" "$user"
        return
    fi
    if grep -qF -- "$ours" <<<"$known"; then
        say "$user has this key: $ours"
    else
        fail "$user does not have this key, $ours" "$program rotate --user $user --key NEW.p8, or name the right --key" 1
    fi
}

# --- what was typed ---------------------------------------------------------------------------------------------------

action=${1:-}
case $action in
    create | rotate | retire | check) shift ;;
    -h | --help | help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
esac

user='' key='' slot='' generate=no apply=no expected='' flags=()
while (($#)); do
    case $1 in
        --user | --key | --slot | --fingerprint)
            (($# > 1)) || fail "$1 says nothing" "$program --help"
            case $1 in
                --user) user=$2 ;;
                --key) key=$2 ;;
                --slot) slot=$2 ;;
                --fingerprint) expected=$2 ;;
            esac
            shift 2
            ;;
        --generate-passphrase)
            generate=yes
            shift
            ;;
        --apply)
            apply=yes
            shift
            ;;
        --)
            shift
            flags=("$@")
            break
            ;;
        *) fail "$1 is no option" "$program --help" ;;
    esac
done

[[ -n $user ]] || fail "nothing says whose key it is" "type --user NAME"
[[ $user =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || fail "--user is no name of Snowflake's" "use letters, digits and underscores"
user=$(printf '%s' "$user" | tr '[:lower:]' '[:upper:]')
[[ $action != rotate || -n $key ]] || fail "nothing says where the new key goes" "type --key NEW.p8"
if [[ -z $key ]]; then key=$(printf '%s' "$user" | tr '[:upper:]' '[:lower:]').p8; fi
if [[ $key == -* ]]; then key=./$key; fi # no tool takes it for an option
if [[ -z $slot ]]; then if [[ $action == rotate ]]; then slot=2; else slot=1; fi; fi
[[ $slot == 1 || $slot == 2 ]] || fail "--slot is 1 or 2" "$program --help"
command -v openssl >/dev/null || fail "openssl is not installed" "apt-get install openssl, or brew install openssl"
if [[ $apply == yes ]]; then
    command -v mesh >/dev/null || fail "--apply needs mesh" "pip install 'registry-tools[snowflake]'"
fi
"$action"
