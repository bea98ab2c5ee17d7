package dockersim

import (
	"encoding/json"
	"net/http"
	"time"

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
	platform, err := engine.ParsePlatform(r.URL.Query().Get("platform"))
	if err != nil {
		return badRequest(err.Error())
	}
	out := &progressWriter{w: w}
	if _, err := e.PullFrom(r.Context(), engine.PullSpec{Ref: ref, Platform: platform}, with, out.layer); err != nil {
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

// serveDiskUsage serves images, volumes and the build cache; the other parts of dockerd's answer are not
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
	writeJSON(w, http.StatusOK, map[string]any{"LayersSize": 0, "Images": images, "Containers": nil, "Volumes": volumes, "BuildCache": e.wireBuildCache()})
	return nil
}

func (e *Engine) wireBuildCache() []map[string]any {
	records := []map[string]any{}
	for _, c := range e.BuildCache() {
		kind := "regular"
		if c.Internal {
			kind = "internal"
		}
		records = append(records, map[string]any{
			"ID": c.ID, "Parent": c.Parent, "Type": kind, "Description": c.Description, "InUse": c.InUse, "Shared": false,
			"Size": c.Size, "CreatedAt": c.Created.Format(time.RFC3339Nano), "LastUsedAt": nil, "UsageCount": 1,
		})
	}
	return records
}

// serveBuildPrune removes the record of the filter id, which is all that rdd asks for.
func (e *Engine) serveBuildPrune(w http.ResponseWriter, r request) error {
	var filters map[string]map[string]bool
	if err := json.Unmarshal([]byte(r.URL.Query().Get("filters")), &filters); err != nil {
		return badRequest("filters: " + err.Error())
	}
	deleted := []string{}
	for id := range filters["id"] {
		if e.PruneBuildCache(id) {
			deleted = append(deleted, id)
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"CachesDeleted": deleted, "SpaceReclaimed": 0})
	return nil
}
