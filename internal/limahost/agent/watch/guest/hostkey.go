package guest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"golang.org/x/crypto/ssh"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// hostKeys returns the check of the guest's host key. The first login saves the key in a
// file in the format of known_hosts, and each later login must have the same key. The
// file is removed with the VM's disk.
func hostKeys(file string) (check ssh.HostKeyCallback, algorithms []string, err error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return pin(file), []string{
			ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
		}, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the guest's host key: %w", err)
	}
	_, _, known, _, _, err := ssh.ParseKnownHosts(text) //nolint:dogsled // Only the key matters.
	if err != nil {
		return nil, nil, fmt.Errorf("read the guest's host key from %s: %w: remove the file to trust the guest's next key", file, err)
	}
	algorithms = []string{known.Type()}
	if known.Type() == ssh.KeyAlgoRSA {
		algorithms = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return func(_ string, _ net.Addr, key ssh.PublicKey) error {
		if !bytes.Equal(key.Marshal(), known.Marshal()) {
			return fmt.Errorf("the guest has another SSH host key than at its first login: if you changed the key, remove %s", file)
		}
		return nil
	}, algorithms, nil
}

// pin accepts the first key and saves it.
func pin(file string) ssh.HostKeyCallback {
	return func(_ string, _ net.Addr, key ssh.PublicKey) error {
		line := append([]byte(limahost.SSHHost+" "), ssh.MarshalAuthorizedKey(key)...)
		if err := instance.ReplaceFile(file, line); err != nil {
			return fmt.Errorf("save the guest's host key: %w", err)
		}
		return nil
	}
}
