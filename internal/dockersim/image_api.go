package dockersim

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

func (e *Engine) serveImageList(w http.ResponseWriter, r request) error {
	all := r.flag("all")
	images := e.Images()
	list := make([]wireSummary, 0, len(images))
	for _, img := range images {
		if all || !img.Hidden {
			list = append(list, summary(img))
		}
	}
	slices.SortStableFunc(list, func(a, b wireSummary) int { return cmp.Compare(b.Created, a.Created) })
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

// summary returns the line of an image. One without references has placeholders.
func summary(img memory.Image) wireSummary {
	tags, digests := img.Tags, img.Digests
	if len(tags) == 0 && len(digests) == 0 {
		tags, digests = []string{"<none>:<none>"}, []string{"<none>@<none>"}
	}
	return wireSummary{
		ID: img.ID, ParentID: img.Parent, RepoTags: tags, RepoDigests: digests,
		Created: img.Created.Unix(), Size: img.Size, VirtualSize: img.Size,
		SharedSize: -1, Containers: -1, Labels: img.Labels,
	}
}

func (e *Engine) serveImageInspect(w http.ResponseWriter, r request) error {
	img, err := e.Image(r.name)
	if err != nil {
		return &apiError{statusOf(err), "no such image: " + r.name + ": " + err.Error()}
	}
	version, _ := e.Version()
	writeJSON(w, http.StatusOK, map[string]any{
		"Id": img.ID, "Parent": img.Parent,
		"RepoTags":    append([]string{}, img.Tags...),
		"RepoDigests": append([]string{}, img.Digests...),
		"Created":     img.Created.Format(time.RFC3339Nano), "DockerVersion": version,
		"Architecture": img.Architecture, "Os": img.OS,
		"Size": img.Size, "VirtualSize": img.Size,
		"Config": map[string]any{"Labels": img.Labels},
		"RootFS": map[string]any{"Type": "layers"},
	})
	return nil
}

// serveImageCreate pulls an image, from nowhere, or imports one, and ignores its
// content.
func (e *Engine) serveImageCreate(w http.ResponseWriter, r request) error {
	query := r.URL.Query()
	withTag := func(ref string) string {
		switch tag := query.Get("tag"); {
		case ref == "" || tag == "":
			return ref
		case strings.Contains(tag, ":"):
			return ref + "@" + tag
		default:
			return ref + ":" + tag
		}
	}
	if ref := withTag(query.Get("fromImage")); ref != "" {
		if e.HasRegistry(ref) {
			return e.servePull(w, r, ref)
		}
		if _, err := e.PullImage(ref); err != nil {
			return err
		}
		writeProgress(w, "Status: Downloaded newer image for "+ref)
		return nil
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return badRequest("read the image: " + err.Error())
	}
	spec := ImageSpec{Labels: labelsOf(query["changes"])}
	if ref := withTag(query.Get("repo")); ref != "" {
		spec.Tags = []string{ref}
	}
	id, err := e.ImportImage(spec)
	if err != nil {
		return err
	}
	writeProgress(w, id)
	return nil
}

// labelsOf understands changes of the form LABEL key=value.
func labelsOf(changes []string) map[string]string {
	labels := make(map[string]string)
	for _, change := range changes {
		if pair, ok := strings.CutPrefix(change, "LABEL "); ok {
			key, value, _ := strings.Cut(pair, "=")
			labels[key] = value
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
	deleted, err := e.DeleteImage(r.name, r.flag("force"), !r.flag("noprune"))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, deleted)
	return nil
}

func (e *Engine) serveImagePrune(w http.ResponseWriter, _ request) error {
	e.PruneImages()
	writeJSON(w, http.StatusOK, map[string]any{"ImagesDeleted": nil, "SpaceReclaimed": 0})
	return nil
}
