package native

import "testing"

// F10: the outputs are those of dockerd 20.10.
func TestOutputShowsPermanentFailure(t *testing.T) {
	for output, want := range map[string]bool{
		"Status: unknown flag: --nope\nSee 'dockerd --help'., Code: 125":                                                      true,
		`Status: invalid argument "nonsense" for "--dns" flag: nonsense is not an ip address`:                                 true,
		`Status: invalid argument "tcp://127.0.0.1:abc" for "-H, --host" flag: invalid port ":abc" after host`:                true,
		"failed to load listeners: listen tcp: address 99999: invalid port":                                                   true,
		"failed to load listeners: can't create unix socket /nodir/s: bind: no such file or directory":                        true,
		"failed to load listeners: listen tcp 127.0.0.1:80: bind: address already in use":                                     false,
		"failed to load listeners: can't create unix socket /run/s: bind: no space left on device":                            false,
		"Unable to get the full path to root (/dev/null/x): failed to canonicalise path for /dev/null/x: not a directory":     true,
		"unable to configure the Docker daemon with file /nope.json: open /nope.json: no such file or directory":              true,
		"failed to start daemon: You specified -b & --bip, mutually exclusive options. Please specify only one":               true,
		"specified default runtime 'nope' does not exist":                                                                     true,
		"failed to create API server: Could not load X509 key pair (cert: \"\", key: \"\"): open : no such file or directory": true,
		"failed to start daemon: error creating the network bridge: no space left on device":                                  false,
		"failed to start containerd: timeout waiting for containerd to start":                                                 false,
		"": false,
	} {
		if got := isPermanent(output); got != want {
			t.Errorf("%q: %v, want %v", output, got, want)
		}
	}
}
