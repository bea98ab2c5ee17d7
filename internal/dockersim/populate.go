package dockersim

import "fmt"

// Populate adds many objects at once, without events, as an engine has them
// that has been running for long: images image-0:latest and on, containers
// container-0 and on (of the images in turn, every second one running),
// volumes volume-0 and on. Containers need at least one image. It may be
// called again; the numbers go on.
func (e *Engine) Populate(images, containers, volumes int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	first := len(e.images)
	ids := make([]string, 0, images)
	for i := range images {
		id := e.newImage(ImageSpec{
			Labels: map[string]string{"number": fmt.Sprint(first + i)},
			Size:   int64(1+i) << 20,
		})
		e.moveTag(id, fmt.Sprintf("image-%d:latest", first+i))
		ids = append(ids, id)
	}
	e.populateContainers(containers, ids)
	firstVolume := len(e.volumes)
	for i := range volumes {
		name := fmt.Sprintf("volume-%d", firstVolume+i)
		e.volumes[name] = &volume{spec: VolumeSpec{Name: name, Driver: "local"}, created: e.now()}
	}
}

func (e *Engine) populateContainers(count int, images []string) {
	if count == 0 {
		return
	}
	if len(images) == 0 {
		for id := range e.images {
			images = append(images, id)
		}
	}
	if len(images) == 0 {
		must(fmt.Errorf("containers need an image"))
	}
	first := len(e.containers)
	for i := range count {
		img := e.images[images[i%len(images)]]
		ref := img.id
		if len(img.tags) > 0 {
			ref = img.tags[0]
		}
		c := &container{
			id:      e.nextID("container"),
			name:    fmt.Sprintf("container-%d", first+i),
			imageID: img.id,
			spec:    ContainerSpec{Image: ref, Command: []string{"sleep", "infinity"}},
			labels:  map[string]string{"number": fmt.Sprint(first + i)},
			created: e.now(),
		}
		if i%2 == 0 {
			c.running, c.started, c.pid = true, e.now(), 1000+i
		}
		e.containers[c.id] = c
		e.names[c.name] = c.id
	}
}
