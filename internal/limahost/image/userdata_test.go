package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The output of Lima's cidata templates for a lima.yaml with all fields.
const (
	userData = `#cloud-config
# vim:syntax=yaml

growpart:
  mode: auto
  devices: ['/']
mounts:
- [vz-rosetta, /mnt/lima-rosetta, virtiofs, defaults, "0", "0"]
- [mount0, /Users/me, virtiofs, "rw,nofail", "0", "0"]
timezone: Europe/Berlin

users:
  - name: "rdd"
    uid: "1000"
    homedir: "/home/rdd"
    shell: /bin/bash
    sudo: ALL=(ALL) NOPASSWD:ALL
    lock_passwd: true
    ssh-authorized-keys:
      - "ssh-ed25519 AAAA lima"
      - "ssh-rsa BBBB me@host"

write_files:
 - content: |
      #!/bin/sh
      set -eux
      - not a key
   owner: root:root

manage_resolv_conf: true

resolv_conf:
  nameservers:
  - 192.168.5.3

ca_certs:
  trusted:
  - |
    -----BEGIN CERTIFICATE-----
    MIIB
    -----END CERTIFICATE-----
  - |
    -----BEGIN CERTIFICATE-----
    MIIC
    -----END CERTIFICATE-----

bootcmd:
- |
  while read -r line; do [ -n "$line" ] && export "$line"; done <<'EOF'
  PARAM_a=b
  EOF
  #!/bin/sh
  echo one
- |
  echo two
`
	networkConfig = `version: 2
ethernets:
  eth0:
    match:
      macaddress: '52:55:55:00:00:01'
    dhcp4: true
    set-name: eth0
    dhcp4-overrides:
      route-metric: 200
    dhcp-identifier: mac
    nameservers:
      addresses:
      - 192.168.5.3
      - fd00::3
  lima0:
    match:
      macaddress: '52:55:55:00:00:02'
    dhcp4: true
    set-name: lima0
`
)

// The guest has no YAML parser. Its script must extract the values from Lima's files.
func TestUserdataExtractsLimaValues(t *testing.T) {
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("the guest's shell is busybox, and it is not installed here")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"user-data": userData, "network-config": networkConfig} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, sub := range []string{"ca", "boot"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	script := filepath.Join("guest", "usr", "lib", "rdd", "userdata.awk")
	out, err := exec.Command(busybox, "awk", "-v", "dir="+dir, "-f", script, //nolint:gosec // Only files of the test.
		filepath.Join(dir, "user-data"), filepath.Join(dir, "network-config")).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Fatalf("awk: %v\n%s", err, out)
	}
	for name, want := range map[string]string{
		"keys":     "ssh-ed25519 AAAA lima\nssh-rsa BBBB me@host\n",
		"mounts":   "vz-rosetta\t/mnt/lima-rosetta\tvirtiofs\tdefaults\nmount0\t/Users/me\tvirtiofs\trw,nofail\n",
		"dns":      "192.168.5.3\nfd00::3\n",
		"nics":     "eth0\t52:55:55:00:00:01\nlima0\t52:55:55:00:00:02\n",
		"timezone": "Europe/Berlin\n",
		"ca/1.crt": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
		"ca/2.crt": "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n",
		"boot/1": "while read -r line; do [ -n \"$line\" ] && export \"$line\"; done <<'EOF'\n" +
			"PARAM_a=b\nEOF\n#!/bin/sh\necho one\n",
		"boot/2": "echo two\n",
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if string(text) != want {
			t.Errorf("%s is\n%q, not\n%q", name, text, want)
		}
	}
	if entries, err := filepath.Glob(filepath.Join(dir, "*", "*")); err != nil || len(entries) != 4 {
		t.Errorf("certificates and scripts are %s, %v", strings.Join(entries, " "), err)
	}
}
