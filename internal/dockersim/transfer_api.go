package dockersim

import (
	"encoding/json"
	"net/http"

	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// servePull pulls an image from a registry of the model.
func (e *Engine) servePull(w http.ResponseWriter, r request, ref string) error {
	with, err := credentialsOf(r)
	if err != nil {
		return err
	}
	out := &progressWriter{w: w}
	if _, err := e.PullFrom(r.Context(), ref, with, out.layer); err != nil {
		return out.fail(err)
	}
	out.write(map[string]any{"status": "Status: Downloaded newer image for " + ref})
	return nil
}

func (e *Engine) serveImagePush(w http.ResponseWriter, r request) error {
	with, err := credentialsOf(r)
	if err != nil {
		return err
	}
	tag := r.URL.Query().Get("tag")
	out := &progressWriter{w: w}
	out.write(map[string]any{"status": "The push refers to repository [" + r.name + "]"})
	digest, err := e.PushTo(r.Context(), r.name+":"+tag, with, out.layer)
	if err != nil {
		return out.fail(err)
	}
	out.write(map[string]any{"status": tag + ": digest: " + digest + " size: 528"})
	out.write(map[string]any{"progressDetail": map[string]any{}, "aux": map[string]any{"Tag": tag, "Digest": digest, "Size": 528}})
	return nil
}

// credentialsOf reads the credentials of a request.
func credentialsOf(r request) (engine.Credentials, error) {
	text := r.Header.Get(registry.AuthHeader)
	if text == "" {
		return engine.Credentials{}, nil
	}
	auth, err := authconfig.Decode(text)
	if err != nil {
		return engine.Credentials{}, badRequest("invalid X-Registry-Auth header: " + err.Error())
	}
	return engine.Credentials{Server: auth.ServerAddress, Username: auth.Username, Password: auth.Password}, nil
}

// progressWriter writes the messages of a pull or a push, each at once.
type progressWriter struct {
	w     http.ResponseWriter
	begun bool
}

func (p *progressWriter) write(message map[string]any) {
	if !p.begun {
		p.begun = true
		p.w.Header().Set("Content-Type", "application/json")
	}
	// A client that has left ends the transfer by its context.
	_ = json.NewEncoder(p.w).Encode(message)
	_ = http.NewResponseController(p.w).Flush()
}

func (p *progressWriter) layer(layer engine.Layer) {
	detail := map[string]any{}
	if layer.Status == "Downloading" || layer.Status == "Pushing" {
		detail = map[string]any{"current": layer.Current, "total": layer.Total}
	}
	p.write(map[string]any{"id": layer.ID, "status": layer.Status, "progressDetail": detail})
}

// fail answers an error: in the stream when it has begun.
func (p *progressWriter) fail(err error) error {
	if !p.begun {
		return err
	}
	p.write(map[string]any{"error": err.Error(), "errorDetail": map[string]any{"message": err.Error()}})
	return nil
}

// serveDiskUsage serves images and volumes; the other parts of dockerd's answer are not
// used.
func (e *Engine) serveDiskUsage(w http.ResponseWriter, _ request) error {
	images := []wireSummary{}
	for _, img := range e.Images() {
		if !img.Hidden {
			line := summary(img)
			line.SharedSize = 0
			images = append(images, line)
		}
	}
	volumes := []map[string]any{}
	for _, v := range e.Volumes() {
		wire := wireVolume(v)
		wire["UsageData"] = map[string]any{"Size": 0, "RefCount": 0}
		volumes = append(volumes, wire)
	}
	writeJSON(w, http.StatusOK, map[string]any{"LayersSize": 0, "Images": images, "Containers": nil, "Volumes": volumes, "BuildCache": nil})
	return nil
}
