package bundle

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// minSecret is the length of the shortest value that is replaced everywhere. Shorter
// values could be part of other text.
const minSecret = 8

// knownSecrets returns the values to remove everywhere, longest first: those in the
// files and environments of the instance, and learned ones. Errors are ignored:
// a file that cannot be read cannot get into the bundle either.
func knownSecrets(s Subject, learned []string) []string {
	var secrets []string
	add := func(values ...string) {
		for _, value := range values {
			if value = strings.TrimSpace(value); len(value) < minSecret {
				continue
			}
			secrets = append(secrets, value, base64.StdEncoding.EncodeToString([]byte(value)))
		}
	}
	add(learned...)
	tokens := append(home.TokenFiles(s.Instance),
		filepath.Join(s.Instance.TLSDir, filename.Token), filepath.Join(s.Instance.TLSDir, filename.ReadOnlyToken))
	for _, path := range tokens {
		if token, err := os.ReadFile(path); err == nil {
			add(string(token))
		}
	}
	for _, path := range []string{s.Instance.Config, filepath.Join(s.Instance.TLSDir, filename.HubKubeconfig)} {
		config, err := clientcmd.LoadFromFile(path)
		if err != nil {
			continue
		}
		for _, user := range config.AuthInfos {
			add(user.Token, user.Password, string(user.ClientKeyData))
		}
	}
	for _, path := range keyFiles(s) {
		if text, err := os.ReadFile(path); err == nil {
			add(keyLines(string(text))...)
		}
	}
	for _, file := range dockerConfigs(s) {
		add(registrySecrets(file)...)
	}
	add(environmentSecrets(s.Environment)...)
	for _, p := range s.instanceProcesses() {
		add(environmentSecrets(environmentOf(p.PID))...)
	}
	// The longest first, because one secret can be a prefix of another.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(secrets)
}

// keyFiles returns the files that can have private keys: that of the API server, and
// those of Lima for SSH.
func keyFiles(s Subject) []string {
	files := []string{filepath.Join(s.Instance.TLSDir, filename.Key)}
	more, err := filepath.Glob(filepath.Join(s.Instance.LimaHome, filename.LimaConfig, "*"))
	if err == nil {
		files = append(files, more...)
	}
	return files
}

// keyLines returns the secret lines of a private key.
func keyLines(text string) []string {
	if !strings.Contains(text, "PRIVATE KEY-----") {
		return nil
	}
	return slices.DeleteFunc(strings.Fields(text), func(word string) bool {
		return len(word) < 40 // markers, and a short last line, which is useless alone
	})
}

// dockerConfigs returns the files in which docker keeps passwords of registries.
func dockerConfigs(s Subject) []string {
	dir := ""
	home := ""
	for _, entry := range s.Environment {
		name, value, _ := strings.Cut(entry, "=")
		switch name {
		case "DOCKER_CONFIG":
			dir = value
		case "HOME":
			home = value
		}
	}
	files := []string{filepath.Join(home, ".docker", "config.json")}
	if dir != "" {
		files = append(files, filepath.Join(dir, "config.json"))
	}
	return files
}

// registrySecrets returns the credentials for registries in a docker configuration.
func registrySecrets(file string) []string {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var config struct {
		Auths map[string]struct {
			Auth, Password, IdentityToken, RegistryToken string
		}
	}
	if json.Unmarshal(text, &config) != nil {
		return nil
	}
	var secrets []string
	for _, a := range config.Auths {
		secrets = append(secrets, a.Auth, a.Password, a.IdentityToken, a.RegistryToken)
		if plain, err := base64.StdEncoding.DecodeString(a.Auth); err == nil {
			_, password, _ := strings.Cut(string(plain), ":")
			secrets = append(secrets, password)
		}
	}
	return secrets
}

// environmentSecrets returns the values of variables whose name is that of a secret.
func environmentSecrets(environment []string) []string {
	var secrets []string
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		// A path is no secret, and the file at that path is not in the bundle.
		if secretName(name) && !strings.HasPrefix(value, "/") {
			secrets = append(secrets, value)
		}
	}
	return secrets
}
