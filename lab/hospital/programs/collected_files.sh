# Reads a host's log files at the log collector, the oldest first; rotated files that are compressed are left out.
# Arguments: VERB FOLDER HOST ...
#   sizes                      "<inode>.<birth> <bytes>" for each file
#   parts [FILE:START:END]...  "<inode>.<birth> <base64>": from START to END (bytes) of the files named, all of the others
#   found TEXT                 every line that holds the text
# A file goes by inode and birth, which it keeps when it is rotated away. It is opened once and asked through its
# descriptor, so that a rotation meanwhile cannot make two files of one.

verb=$1 folder=$2 host=$3
shift 3

part() {
    start=0 end=4611686018427387904
    for wanted; do
        case $wanted in "$id:"*) wanted=${wanted#*:} start=${wanted%:*} end=${wanted#*:} ;; esac
    done
    tail -c +$((start + 1)) <&3 | head -c $((end - start)) | base64 --wrap=0
}

for file in "$folder/$host".jsonl-*[0-9] "$folder/$host.jsonl"; do
    [ -f "$file" ] || continue
    {
        id=$(stat --dereference --format %i.%W /dev/fd/3)
        case $verb in
            sizes) echo "$id $(stat --dereference --format %s /dev/fd/3)" ;;
            parts) echo "$id $(part "$@")" ;;
            found) grep -F -e "$1" <&3 ;;
        esac
    } 3< "$file"
done
