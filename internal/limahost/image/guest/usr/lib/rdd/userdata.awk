# Writes the values of Lima's user-data and network-config to files for shell scripts:
# awk -v dir=DIR -f userdata.awk USER-DATA NETWORK-CONFIG.
#
#   keys        one public key a line
#   mounts      TAG POINT TYPE OPTIONS, separated by tabs
#   dns         one address a line
#   nics        NAME MAC, one network interface a line
#   timezone    its name
#   ca/N.crt    certificates to trust
#   boot/N      scripts to run at each boot
function unquote(s) {
    gsub(/^[ "']+|[ "']+$/, "", s)
    return s
}
function item(s) {
    sub(/^ *- */, "", s)
    return unquote(s)
}
FILENAME != last { last = FILENAME; files++; section = file = "" }

files == 2 {
    if ($0 ~ /^  [^ ]+: *$/) { nic = $1; sub(/:$/, "", nic) }
    else if ($1 == "macaddress:") print nic "\t" unquote($2) >(dir "/nics")
    else if ($1 == "addresses:") section = "addresses"
    else if (section == "addresses" && $1 == "-") print item($0) >(dir "/dns")
    else section = ""
    next
}

/^[a-z_]+:/ {
    section = $1
    sub(/:$/, "", section)
    file = ""
    if (section == "timezone") print $2 >(dir "/timezone")
    next
}
section == "users" && $1 == "ssh-authorized-keys:" { keys = 1; next }
section == "users" && keys && $1 == "-" { print item($0) >(dir "/keys"); next }
section == "users" { keys = 0 }
section == "mounts" && $1 == "-" {
    line = $0
    sub(/^ *- *\[/, "", line)
    n = split(line, field, /, */)
    print unquote(field[1]) "\t" unquote(field[2]) "\t" unquote(field[3]) "\t" options(line) >(dir "/mounts")
    next
}
section == "ca_certs" && $1 == "-" { file = dir "/ca/" ++certificates ".crt"; next }
section == "ca_certs" && file != "" && NF { sub(/^ +/, ""); print >file }
section == "bootcmd" && /^- \|/ { file = dir "/boot/" ++commands; next }
section == "bootcmd" && file != "" { sub(/^  /, ""); print >file }

# options is the fourth field of a mount; it is quoted if it contains commas.
function options(line) {
    sub(/^[^,]*, *[^,]*, *[^,]*, */, "", line)
    if (substr(line, 1, 1) == "\"") {
        split(line, quoted, "\"")
        return quoted[2]
    }
    sub(/[],].*/, "", line)
    return line
}
