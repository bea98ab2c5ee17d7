package dockersim

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

func (e *Engine) serveImageList(w http.ResponseWriter, r request) error {
	all := r.flag("all")
	e.mu.Lock()
	list := make([]wireSummary, 0, len(e.images))
	for _, img := range e.images {
		intermediate := e.children[img.id] > 0 && len(img.tags) == 0
		if all || !intermediate {
			list = append(list, img.summary())
		}
	}
	e.mu.Unlock()
	slices.SortFunc(list, func(a, b wireSummary) int {
		return cmp.Or(cmp.Compare(b.Created, a.Created), cmp.Compare(a.ID, b.ID))
	})
	writeJSON(w, http.StatusOK, list)
	return nil
}

// wireSummary is an image in a list.
type wireSummary struct {
	ID          string `json:"Id"`
	ParentID    string `json:"ParentId"`
	RepoTags    []string
	RepoDigests []string
	Created     int64
	Size        int64
	VirtualSize int64
	SharedSize  int64
	Containers  int64
	Labels      map[string]string
}

// summary shares nothing that can change. An image without references has
// placeholders.
func (img *image) summary() wireSummary {
	tags, digests := slices.Clone(img.tags), slices.Clone(img.spec.Digests)
	if len(tags) == 0 && len(digests) == 0 {
		tags, digests = []string{"<none>:<none>"}, []string{"<none>@<none>"}
	}
	return wireSummary{
		ID: img.id, ParentID: img.spec.Parent, RepoTags: tags, RepoDigests: digests,
		Created: img.spec.Created.Unix(), Size: img.spec.Size, VirtualSize: img.spec.Size,
		SharedSize: -1, Containers: -1, Labels: img.spec.Labels,
	}
}

func (e *Engine) serveImageInspect(w http.ResponseWriter, r request) error {
	e.mu.Lock()
	img, err := e.resolveImage(r.name)
	if err != nil {
		e.mu.Unlock()
		return notFound("no such image: %s: %v", r.name, err)
	}
	answer := map[string]any{
		"Id": img.id, "Parent": img.spec.Parent,
		"RepoTags":    append([]string{}, img.tags...),
		"RepoDigests": append([]string{}, img.spec.Digests...),
		"Created":     img.spec.Created.Format(time.RFC3339Nano), "DockerVersion": e.version,
		"Architecture": img.spec.Architecture, "Os": img.spec.OS,
		"Size": img.spec.Size, "VirtualSize": img.spec.Size,
		"Config": map[string]any{"Labels": img.spec.Labels},
		"RootFS": map[string]any{"Type": "layers"},
	}
	e.mu.Unlock()
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// serveImageCreate imports an image, without looking at what is sent, or pulls
// one, from nowhere.
func (e *Engine) serveImageCreate(w http.ResponseWriter, r request) error {
	query := r.URL.Query()
	ref, tag := query.Get("fromImage"), query.Get("tag")
	if ref != "" {
		if tag != "" {
			ref += ":" + tag
		}
		if _, err := parseReference(ref); err != nil {
			return err
		}
		e.Pull(ref)
		writeProgress(w, "Status: Downloaded newer image for "+ref)
		return nil
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return badRequest("read the image: %v", err)
	}
	var spec ImageSpec
	if repo := query.Get("repo"); repo != "" {
		if tag != "" {
			repo += ":" + tag
		}
		spec.Tags = []string{repo}
	}
	spec.Labels = labelsOf(query["changes"])
	e.mu.Lock()
	defer e.mu.Unlock()
	id, err := e.createImage(spec)
	if err != nil {
		return err
	}
	e.emit("image", "import", id, with(spec.Labels, "name", id))
	writeProgress(w, id)
	return nil
}

// labelsOf understands changes of the form LABEL key=value.
func labelsOf(changes []string) map[string]string {
	var labels map[string]string
	for _, change := range changes {
		if pair, ok := strings.CutPrefix(change, "LABEL "); ok {
			key, value, _ := strings.Cut(pair, "=")
			labels = with(labels, key, value)
		}
	}
	return labels
}

func writeProgress(w http.ResponseWriter, status string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"status": status})
}

func (e *Engine) serveImageTag(w http.ResponseWriter, r request) error {
	ref := r.URL.Query().Get("repo")
	if tag := r.URL.Query().Get("tag"); tag != "" {
		ref += ":" + tag
	}
	if err := e.Tag(r.name, ref); err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (e *Engine) serveImageRemove(w http.ResponseWriter, r request) error {
	e.mu.Lock()
	records, err := e.deleteImage(r.name, r.flag("force"), !r.flag("noprune"))
	e.mu.Unlock()
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, records)
	return nil
}
