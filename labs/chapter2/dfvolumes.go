package chapter2

import (
	"fmt"

	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// volumeUsage is what one volume takes on the disk, and how many containers have it.
type volumeUsage struct{ Name, Driver, Links, Size string }

// volumesUsage measures all volumes: a row that sums them up, and one of each.
func volumesUsage(engine *container.Engine) (dfRow, []volumeUsage, error) {
	list, err := engine.Volumes()
	if err != nil {
		return dfRow{}, nil, err
	}
	users, err := engine.VolumeUsers()
	if err != nil {
		return dfRow{}, nil, err
	}
	var active int
	var total, free int64
	each := []volumeUsage{}
	for _, v := range list {
		size, links := engine.VolumeSize(v), len(users[v.Name])
		total += size
		if links > 0 {
			active++
		} else {
			free += size
		}
		each = append(each, volumeUsage{v.Name, v.Driver, fmt.Sprint(links), command.Size(size)})
	}
	return dfRow{"Local Volumes", fmt.Sprint(len(list)), fmt.Sprint(active), command.Size(total), reclaimable(free, total)}, each, nil
}

func printVolumesUsage(env *command.Env, each []volumeUsage) error {
	fmt.Fprintf(env.Out, "\nLocal Volumes space usage:\n\n")
	return command.PrintRows(env.Out, "table {{.Name}}\t{{.Links}}\t{{.Size}}", each, volumeUsage{"VOLUME NAME", "DRIVER", "LINKS", "SIZE"})
}
