package engine

import (
	"context"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Pauses between an event and the list that it asks for. A burst of events costs
// one list, or some when it lasts: a list is not followed by another one before
// five times the time that it took.
const (
	listAfter   = 100 * time.Millisecond
	listAtMost  = 2 * time.Second
	listRestful = 5
)

// Messages of the session to itself.
type (
	imageListDue struct{}
	imagesListed struct {
		images []docker.ListedImage
		asOf   time.Time
		err    error
	}
	volumeListDue struct{}
	volumesListed struct {
		volumes []*containersv1.Volume
		asOf    time.Time
		err     error
	}
)

// listing paces the lists of one kind: one at a time, and one more when it is
// asked for meanwhile.
type listing struct {
	// due runs while a list is planned.
	due *time.Timer
	// running is set while one is read, again when another must follow.
	running, again bool
	// took is how long the last one took, failures how many failed in a row.
	took     time.Duration
	failures int
}

// soon plans a list unless one is planned.
func (l *listing) soon(tasks *task.Runner, due any) {
	switch {
	case l.running:
		l.again = true
	case l.due == nil:
		pause := min(listAfter+listRestful*l.took, listAtMost)
		if l.failures > 0 {
			pause = async.Backoff{Min: listAtMost, Max: time.Minute}.Delay(l.failures)
		}
		l.due = tasks.After(pause, due)
	}
}

// begin reports whether a list is to begin now.
func (l *listing) begin() bool {
	if l.running {
		l.again = true
		return false
	}
	if l.due != nil {
		l.due.Stop()
		l.due = nil
	}
	l.running = true
	return true
}

// end notes the result of a list, and plans the next one if there must be one.
func (l *listing) end(tasks *task.Runner, asOf time.Time, err error, due any) {
	again := l.again || err != nil
	l.running, l.again, l.took = false, false, time.Since(asOf)
	l.failures++
	if err == nil {
		l.failures = 0
	}
	if again {
		l.soon(tasks, due)
	}
}

// idle reports whether nothing has happened since the last list began.
func (l *listing) idle() bool { return !l.running && l.due == nil }

// imageListing also keeps which images the last list showed.
type imageListing struct {
	listing

	shown map[string]bool
	// afterSync is set when there must be another list after the full sync.
	afterSync bool
}

func (s *session) listImagesSoon() { s.imageList.soon(s.tasks, imageListDue{}) }

func (s *session) listVolumesSoon() { s.volumeList.soon(s.tasks, volumeListDue{}) }

func (s *session) listImages() {
	if !s.imageList.begin() {
		return
	}
	s.tasks.Go(readTimeout, func(ctx context.Context) any {
		listed := imagesListed{asOf: time.Now()}
		listed.images, listed.err = s.engine.ListImages(ctx)
		return listed
	})
}

func (s *session) listVolumes() {
	if !s.volumeList.begin() {
		return
	}
	s.tasks.Go(readTimeout, func(ctx context.Context) any {
		listed := volumesListed{asOf: time.Now()}
		listed.volumes, listed.err = s.engine.ListVolumes(ctx)
		return listed
	})
}

// volumesListed sends every volume, and then that there are no others: a list says
// everything of a volume.
func (s *session) volumesListed(c actor.Context, v volumesListed) {
	s.volumeList.end(s.tasks, v.asOf, v.err, volumeListDue{})
	if v.err != nil {
		s.logger.Warn("volumes could not be listed", "err", v.err)
		return
	}
	for _, volume := range v.volumes {
		s.tell(c, readDone{
			target:  target{kind: containersv1.KindVolume, id: volume.Status.Name},
			objects: []containersv1.Mirror{volume}, asOf: v.asOf,
		})
	}
	c.Send(c.Parent(), messages.KindListed{Kind: containersv1.KindVolume, AsOf: v.asOf})
}

// imagesListed compares what is known of the images with a list. An image that is
// not listed is gone, or hidden because it has no tag and another one is built on
// it. One that is listed otherwise than it was read is read again.
func (s *session) imagesListed(c actor.Context, v imagesListed) {
	s.imageList.end(s.tasks, v.asOf, v.err, imageListDue{})
	if v.err != nil {
		s.logger.Warn("images could not be listed", "err", v.err)
		return
	}
	s.imageList.shown = shownImages(v.images)
	for _, image := range v.images {
		s.confirm(c, image, v.asOf)
	}
	for _, id := range s.images.differing(v.images) {
		if s.syncing && s.images.byID[id] == nil {
			s.imageList.afterSync = true // the sync reads it, unless it is younger
			continue
		}
		s.refresh(target{kind: containersv1.KindImage, id: id})
	}
	for _, id := range s.images.missing(s.imageList.shown, v.asOf) {
		s.hideImage(c, id, v.asOf)
	}
}

// confirm sends an image that was held back, now that a list shows it.
func (s *session) confirm(c actor.Context, image docker.ListedImage, asOf time.Time) {
	reading, held := s.images.unshown[image.ID]
	if !held || asOf.Before(reading.asOf) || !reading.sameAs(image) {
		return
	}
	reading.shown, reading.asOf = true, asOf
	s.tell(c, reading)
}

// hideImage sends that an image is not in a list.
func (s *session) hideImage(c actor.Context, id string, asOf time.Time) {
	t := target{kind: containersv1.KindImage, id: id}
	s.tell(c, readDone{target: t, asOf: asOf, listed: true})
	s.gone[t] = asOf
}

func shownImages(images []docker.ListedImage) map[string]bool {
	shown := make(map[string]bool, len(images))
	for _, image := range images {
		shown[image.ID] = true
	}
	return shown
}

// sameAs reports whether a list agrees with a reading.
func (v readDone) sameAs(image docker.ListedImage) bool {
	images := make([]*containersv1.Image, 0, len(v.objects))
	for _, o := range v.objects {
		images = append(images, o.(*containersv1.Image))
	}
	return image.SameAs(images)
}

// missing returns the images that were read before a list began and are not in it.
func (x imageIndex) missing(shown map[string]bool, asOf time.Time) []string {
	var ids []string
	for id, known := range x.byID {
		if !shown[id] && known.asOf.Before(asOf) {
			ids = append(ids, id)
		}
	}
	for id, reading := range x.unshown {
		if !shown[id] && reading.asOf.Before(asOf) {
			delete(x.unshown, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// differing returns the images that are new in a list, or not as they were read.
func (x imageIndex) differing(listed []docker.ListedImage) []string {
	var ids []string
	for _, image := range listed {
		if known := x.byID[image.ID]; known == nil || !image.SameAs(known.objects) {
			ids = append(ids, image.ID)
		}
	}
	slices.Sort(ids)
	return ids
}
