// Package engineconfig has the settings of a container engine that a user makes in the
// App, and applies them to the configuration that rdd gives the engine.
//
// Reading map: settings.go has the settings and their text, check.go refuses those that
// rdd or the engine cannot apply, and apply.go applies them.
package engineconfig

import (
	"bytes"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

// Settings are the settings of an engine. The zero value has none.
type Settings struct {
	// RegistryMirrors and InsecureRegistries are for Docker.
	RegistryMirrors    []string `json:"registryMirrors,omitempty"`
	InsecureRegistries []string `json:"insecureRegistries,omitempty"`
	// DNS has the addresses of the name servers of containers.
	DNS []string `json:"dns,omitempty"`
	// Proxy of the engine for registries.
	Proxy appv1.Proxy `json:"proxy,omitzero"`
	// ExtraArgs are arguments of the engine's program, each --NAME or --NAME=VALUE.
	ExtraArgs []string `json:"extraArgs,omitempty"`
	// Config has keys of Docker's daemon.json.
	Config map[string]any `json:"config,omitempty"`
}

// Of returns the settings in the spec of an App.
func Of(spec appv1.ContainerEngine) (Settings, error) {
	s := Settings{
		RegistryMirrors: spec.RegistryMirrors, InsecureRegistries: spec.InsecureRegistries,
		DNS: spec.DNS, Proxy: spec.Proxy, ExtraArgs: spec.ExtraArgs,
	}
	if spec.Config == nil || len(spec.Config.Raw) == 0 {
		return s, nil
	}
	if err := unmarshal(spec.Config.Raw, &s.Config); err != nil {
		return Settings{}, fmt.Errorf("containerEngine.config is not an object: %w: correct it, or remove it with 'rdd set containerEngine.config='", err)
	}
	return s, nil
}

// Into writes the settings to the spec of an App. It is the inverse of [Of].
func (s Settings) Into(spec *appv1.ContainerEngine) error {
	spec.RegistryMirrors, spec.InsecureRegistries, spec.DNS = s.RegistryMirrors, s.InsecureRegistries, s.DNS
	spec.Proxy, spec.ExtraArgs, spec.Config = s.Proxy, s.ExtraArgs, nil
	if len(s.Config) == 0 {
		return nil
	}
	raw, err := json.Marshal(s.Config)
	spec.Config = &runtime.RawExtension{Raw: raw}
	return err
}

// IsEmpty reports whether there are no settings.
func (s Settings) IsEmpty() bool { return s.Encode() == "" }

// Encode returns the settings as a text, which is the same for the same settings. It is
// empty if there are none.
func (s Settings) Encode() string {
	if len(s.Config) == 0 {
		s.Config = nil
	}
	text, err := json.Marshal(s)
	if err != nil || string(text) == "{}" {
		return "" // values that come from JSON are encoded without an error
	}
	return string(text)
}

// Decode returns the settings that Encode wrote.
func Decode(text string) (Settings, error) {
	var s Settings
	if text == "" {
		return s, nil
	}
	if err := unmarshal([]byte(text), &s); err != nil {
		return Settings{}, fmt.Errorf("decode the settings of the engine: %w", err)
	}
	return s, nil
}

// unmarshal decodes JSON, and keeps numbers as they are written.
func unmarshal(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(into)
}
