package home

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// extension is the name of the extension of the context that has the settings of a Join.
const extension = "hub.rancherdesktop.io"

// settings are the extension.
type settings struct {
	Allow    hubv1.Allow      `json:"allow"`
	JoinedAt metav1.MicroTime `json:"joinedAt,omitzero"`
}

// Join is the membership of a machine in a hub.
type Join struct {
	// Machine is the name of the machine, and of its namespace on the hub.
	Machine string
	// Server is the URL of the hub's API server.
	Server string
	// Allow is what of the requests on the hub this machine carries out.
	Allow hubv1.Allow
	// JoinedAt is when the Join was saved; zero before.
	JoinedAt metav1.MicroTime
	// Transport sends the requests to the hub; nil for one over the network. The simulation
	// sets it.
	Transport http.RoundTripper
	// kubeconfig has one context, and refers to no other file that moves.
	kubeconfig *clientcmdapi.Config
}

// ErrNotJoined is the error of Load for a machine that has joined no hub.
var ErrNotJoined = errors.New("this machine has joined no hub")

// Parse returns the Join of a join file: a kubeconfig whose current context has the
// namespace of the machine. Paths in it are relative to dir.
func Parse(content []byte, dir string) (*Join, error) {
	config, err := clientcmd.Load(content)
	if err != nil {
		return nil, fmt.Errorf("it is not a kubeconfig: %w", err)
	}
	if config.CurrentContext == "" || config.Contexts[config.CurrentContext] == nil {
		return nil, errors.New("it has no current context: create it with 'rdd hub add'")
	}
	if err := clientcmdapi.MinifyConfig(config); err != nil {
		return nil, fmt.Errorf("its current context is incomplete: %w", err)
	}
	if config.Contexts[config.CurrentContext].Namespace == "" {
		return nil, errors.New("its current context has no namespace: create it with 'rdd hub add'")
	}
	for _, cluster := range config.Clusters {
		cluster.LocationOfOrigin = filepath.Join(dir, filename.HubKubeconfig)
	}
	for _, user := range config.AuthInfos {
		user.LocationOfOrigin = filepath.Join(dir, filename.HubKubeconfig)
	}
	if err := clientcmd.ResolveLocalPaths(config); err != nil {
		return nil, fmt.Errorf("a path in it cannot be resolved: %w", err)
	}
	if err := clientcmdapi.FlattenConfig(config); err != nil {
		return nil, fmt.Errorf("a file that it names cannot be read: %w", err)
	}
	return newJoin(config)
}

func newJoin(config *clientcmdapi.Config) (*Join, error) {
	current := config.Contexts[config.CurrentContext]
	j := &Join{Machine: current.Namespace, Allow: hubv1.AllowOperate, kubeconfig: config}
	if cluster := config.Clusters[current.Cluster]; cluster != nil {
		j.Server = cluster.Server
	}
	if raw, ok := current.Extensions[extension].(*runtime.Unknown); ok {
		var s settings
		if err := json.Unmarshal(raw.Raw, &s); err != nil {
			return nil, fmt.Errorf("its extension %s cannot be read: %w", extension, err)
		}
		if s.Allow != "" {
			j.Allow = s.Allow
		}
		j.JoinedAt = s.JoinedAt
	}
	if _, err := j.RESTConfig(); err != nil {
		return nil, err
	}
	return j, nil
}

// Status returns the Join for the status of the App.
func (j *Join) Status() appv1.HubStatus {
	return appv1.HubStatus{Machine: j.Machine, Server: j.Server, Allow: string(j.Allow), JoinedAt: j.JoinedAt}
}

// RESTConfig returns the configuration of a client of the hub.
func (j *Join) RESTConfig() (*rest.Config, error) {
	config, err := clientcmd.NewDefaultClientConfig(*j.kubeconfig, &clientcmd.ConfigOverrides{}).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("its current context cannot be used: %w", err)
	}
	config.Transport = j.Transport
	return config, nil
}

// Load returns the hub that an instance has joined, or ErrNotJoined.
func Load(inst instance.Instance) (*Join, error) {
	path := filepath.Join(inst.TLSDir, filename.HubKubeconfig)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotJoined
	}
	if err != nil {
		return nil, fmt.Errorf("read the join file: %w", err)
	}
	j, err := Parse(content, inst.TLSDir)
	if err != nil {
		return nil, fmt.Errorf("join file %s: %w: run 'rdd leave', and join again", path, err)
	}
	return j, nil
}

// Save stores the Join in the instance. Only the user can read it.
func (j *Join) Save(inst instance.Instance) error {
	j.JoinedAt = metav1.NewMicroTime(time.Now().UTC().Truncate(time.Microsecond))
	raw, err := json.Marshal(settings{Allow: j.Allow, JoinedAt: j.JoinedAt})
	if err != nil {
		return fmt.Errorf("encode the join file: %w", err)
	}
	config := j.kubeconfig.DeepCopy()
	current := config.Contexts[config.CurrentContext]
	if current.Extensions == nil {
		current.Extensions = map[string]runtime.Object{}
	}
	current.Extensions[extension] = &runtime.Unknown{Raw: raw, ContentType: runtime.ContentTypeJSON}
	if err := os.MkdirAll(inst.TLSDir, 0o700); err != nil {
		return fmt.Errorf("create the directory of the join file: %w", err)
	}
	if user := config.AuthInfos[current.AuthInfo]; user != nil && user.Token != "" {
		// Each Join has a file of its own: a daemon that still uses another hub must not
		// send it this token.
		path := filepath.Join(inst.TLSDir, fmt.Sprintf("%s.%d", filename.HubToken, j.JoinedAt.UnixMicro()))
		if err := writeToken(path, user.Token); err != nil {
			return fmt.Errorf("write the token of this machine: %w", err)
		}
		user.Token, user.TokenFile = "", path
	}
	content, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("encode the join file: %w", err)
	}
	if err := instance.ReplaceFile(filepath.Join(inst.TLSDir, filename.HubKubeconfig), content); err != nil {
		return fmt.Errorf("write the join file: %w", err)
	}
	return nil
}

// writeToken writes a token whose age is not known, so that it is renewed soon: the time of
// the file is when the token was received.
func writeToken(path, token string) error {
	if err := instance.ReplaceFile(path, []byte(token)); err != nil {
		return err
	}
	return os.Chtimes(path, time.Unix(0, 0), time.Unix(0, 0))
}

// TokenFiles returns the files of the tokens of an instance.
func TokenFiles(inst instance.Instance) []string {
	files, err := filepath.Glob(filepath.Join(inst.TLSDir, filename.HubToken+".*"))
	if err != nil {
		return nil // only an invalid pattern is an error
	}
	return files
}

// Leave removes the stored Join of an instance.
func Leave(inst instance.Instance) error {
	for _, path := range append(TokenFiles(inst), filepath.Join(inst.TLSDir, filename.HubKubeconfig)) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the join file: %w", err)
		}
	}
	return nil
}
