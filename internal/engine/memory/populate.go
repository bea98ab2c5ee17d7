package memory

import "fmt"

// Populate adds many objects at once, without events: images image-0:latest and so
// on, containers container-0 and so on (of the images in turn, every second one
// running), volumes volume-0 and so on. Containers need at least one image. A second
// call continues the numbers.
func (e *Engine) Populate(images, containers, volumes int) {
	defer e.lock()()
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
		e.volumes[name] = &Volume{VolumeSpec: VolumeSpec{Name: name, Driver: "local"}, Created: e.now()}
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
		ref := img.ID
		if len(img.Tags) > 0 {
			ref = img.Tags[0]
		}
		c := &Container{
			ID:      e.nextID("container"),
			Name:    fmt.Sprintf("container-%d", first+i),
			ImageID: img.ID,
			Spec:    ContainerSpec{Image: ref, Command: []string{"sleep", "infinity"}},
			Labels:  map[string]string{"number": fmt.Sprint(first + i)},
			Created: e.now(), log: newContainerLog(),
		}
		c.Spec.Hostname, c.Spec.RestartPolicy.Name = c.ID[:12], "no"
		if i%2 == 0 {
			c.Running, c.Started, c.PID = true, e.now(), 1000+i
		}
		e.containers[c.ID] = c
		e.names[c.Name] = c.ID
	}
}
