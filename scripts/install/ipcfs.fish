# SPDX-License-Identifier: GPL-2.0-or-later
# Completion for ipcfs(8). To have it complete the lines of ctl as well:
#   source /usr/share/fish/vendor_completions.d/ipcfs.fish; complete -c echo -a '(__ipcfs_line)'

# The table of ipcfs.words, where the columns are explained.
set -g __ipcfs_words (string split \n '
@WORDS@
')

# __ipcfs_find PLACE...: the words that belong to these places, each with its description.
function __ipcfs_find
    for place in $argv
        string match -r "^$place +.*" -- $__ipcfs_words | string replace -r '^\S+ +(\S+) +\S+ +' '$1\t'
    end
end

# __ipcfs_value WORD VALUE: what VALUE, of the table's third column, stands for.
function __ipcfs_value
    switch "$argv[2]"
        case FILE
            __fish_complete_path $argv[1]
        case MOUNT
            string match -rg '^\S+ (\S+) fuse\.ipcfs ' </proc/self/mounts
        case USER
            __fish_complete_users
        case GROUP
            __fish_complete_groups
        case PID
            __fish_complete_pids
        case '*:*'
            set -l before (string match -r '^.*:' -- $argv[1]; or echo '')
            printf '%s\n' $before(string split : $argv[2])
        case '*'
            string match -r '^[a-z].*' -- "$argv[2]" | string split '|'
    end
end

# __ipcfs_setting BEFORE WORD PLACE...: the words of these places, or the value of one, after BEFORE.
function __ipcfs_setting
    set -l offers (__ipcfs_find $argv[3..])
    set -l before $argv[1]
    if string match -q '*=*' -- $argv[2]
        set -l key (string match -r '^[^=]*=' -- $argv[2])
        set -l values
        for place in $argv[3..]
            set values $values (string match -rg "^$place +$key +(\S+)" -- $__ipcfs_words)
        end
        set before $before$key
        set offers (__ipcfs_value (string replace $key '' -- $argv[2]) $values[1])
    end
    printf '%s\n' $before$offers
end

function __ipcfs_options
    set -l before (string match -r '^.*,' -- (commandline -ct); or echo '')
    __ipcfs_setting "$before" (string replace -r '^.*,' '' -- (commandline -ct)) option
end

# A line for ctl, as the arguments of any command.
function __ipcfs_line
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l kinds (string match -r '^\S+' -- $__ipcfs_words | string match -vr '^(flag|option|verb|reap|any)$' | sort -u)
    switch (count $words)":$words[2]"
        case '1:*'
            __ipcfs_find verb
        case 2:reap
            printf '%s\n' $kinds
        case 2:create 2:set 2:empty 2:remove
            printf '%s/\n' $kinds
        case '*:reap'
            __ipcfs_setting '' "$word" reap
        case '*:create' '*:set'
            __ipcfs_setting '' "$word" (string replace -r '/[^/]*$' '' -- $words[3]) any
    end
end

function __ipcfs_is_asked
    string match -qr '^--(status|replace)$' -- (commandline -opc)
end

# The flags, as the table has them.
for line in $__ipcfs_words
    set -l flag (string match -rg '^flag +(-+)(\S+) +\S+ +(.*)' -- $line); or continue
    set -l arguments
    test $flag[2] != o; or set arguments -x -a '(__ipcfs_options)'
    if test $flag[1] = --
        complete -c ipcfs -l $flag[2] -d $flag[3] $arguments
    else
        complete -c ipcfs -s $flag[2] -d $flag[3] $arguments
    end
end
complete -c ipcfs -f
complete -c ipcfs -n __ipcfs_is_asked -a '(__ipcfs_value "" MOUNT)'
complete -c ipcfs -n 'not __ipcfs_is_asked' -a '(__fish_complete_directories (commandline -ct) "")'
