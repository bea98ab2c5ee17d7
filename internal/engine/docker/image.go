package docker

import (
	"errors"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// wireImage is what rdd reads of GET /images/{name}/json.
type wireImage struct {
	ID           string `json:"Id"`
	RepoTags     []string
	RepoDigests  []string
	Created      string
	Architecture string
	OS           string `json:"Os"`
	Size         int64
	Config       struct {
		Labels map[string]string
	}
}

// IDs returns the IDs of listed objects.
func IDs(objects []Listed) []string {
	ids := make([]string, len(objects))
	for i, object := range objects {
		ids[i] = object.ID
	}
	return ids
}

// SameAs reports whether an earlier reading of the image, with one Image for each tag,
// is still true. Only the tags and digests of an image change: its ID is the hash of
// the rest.
func (l Listed) SameAs(images []*containersv1.Image) bool {
	tags := make([]string, 0, len(images))
	for _, image := range images {
		if image.Status.ID != l.ID || !slices.Equal(image.Status.RepoDigests, l.Digests) {
			return false
		}
		if image.Status.RepoTag != "" {
			tags = append(tags, image.Status.RepoTag)
		}
	}
	slices.Sort(tags)
	return len(images) > 0 && slices.Equal(tags, l.Tags)
}

// mapImages turns an inspected image into its mirrors, sorted by tag.
func mapImages(raw []byte) ([]*containersv1.Image, error) {
	var wire wireImage
	if err := decode(raw, &wire); err != nil {
		return nil, err
	}
	if wire.ID == "" {
		return nil, errors.New("the engine gave the image no ID")
	}
	tags := imageTags(wire.RepoTags)
	if len(tags) == 0 {
		tags = []string{""}
	}
	images := make([]*containersv1.Image, 0, len(tags))
	for _, tag := range tags {
		images = append(images, mapImage(&wire, tag))
	}
	return images, nil
}

func mapImage(wire *wireImage, tag string) *containersv1.Image {
	id := toValidUTF8(wire.ID)
	return &containersv1.Image{
		ObjectMeta: metav1.ObjectMeta{Name: containersv1.ImageResourceName(id, tag)},
		Status: containersv1.ImageStatus{
			ID:           id,
			RepoTag:      tag,
			RepoDigests:  imageDigests(wire.RepoDigests),
			Namespace:    containersv1.MobyNamespace,
			CreatedAt:    microTime(wire.Created),
			Architecture: toValidUTF8(wire.Architecture),
			OS:           toValidUTF8(wire.OS),
			Size:         max(0, wire.Size),
			HumanSize:    engine.HumanSize(max(0, wire.Size)),
			Labels:       mapToValidUTF8(wire.Config.Labels),
		},
	}
}

// imageTags returns the tags, sorted, each once. What an engine lists in their
// place for a dangling image is left out, and so are the digests that the
// containerd image store lists among the tags.
func imageTags(repoTags []string) []string {
	var tags []string
	for _, tag := range repoTags {
		if tag != "" && !strings.Contains(tag, "<none>") && !strings.Contains(tag, "@") {
			tags = append(tags, toValidUTF8(tag))
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// imageDigests returns the digests, sorted, each once.
func imageDigests(repoDigests []string) []string {
	var digests []string
	for _, digest := range repoDigests {
		if digest != "" && !strings.HasPrefix(digest, "<none>") {
			digests = append(digests, toValidUTF8(digest))
		}
	}
	slices.Sort(digests)
	return slices.Compact(digests)
}
