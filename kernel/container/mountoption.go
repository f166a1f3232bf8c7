package container

// MountOption is one --mount, -v or --tmpfs, a mount of another container (--volumes-from), or a VOLUME of the image: what
// is to be mounted, before it is known what it means on this machine.
type MountOption struct {
	Type         string // bind, volume, tmpfs, image
	Source       string `json:",omitempty"` // of a volume: its name; "" for one that is made up
	Target       string
	ReadOnly     bool     `json:",omitempty"`
	Mode         string   `json:",omitempty"` // what -v has after the second colon, for inspect
	Propagation  string   `json:",omitempty"`
	Options      []string `json:",omitempty"` // of a tmpfs: size=…, mode=…
	NonRecursive bool     `json:",omitempty"`
	ReadOnlyTop  bool     `json:",omitempty"` // read-only, but not what is mounted below it
	ReadOnlyAll  bool     `json:",omitempty"` // read-only with all that is mounted below it, or not at all
	MakeSource   bool     `json:",omitempty"` // -v: a missing source becomes a directory
	Layers       []string `json:",omitempty"` // of an image: as in Image.Layers; Source is a path in it without symbolic links

	Anonymous     bool              `json:",omitempty"` // a volume whose name was made up: it goes with rm -v
	NoCopy        bool              `json:",omitempty"` // an empty volume stays empty
	Subpath       string            `json:",omitempty"` // what of the volume is mounted
	Labels        map[string]string `json:",omitempty"` // of a volume that has to be made
	DriverOptions map[string]string `json:",omitempty"` // the same; of one that exists, its own
}

// Mount is a --mount as Docker's API writes it, for inspect.
type Mount struct {
	Type          string
	Source        string `json:",omitempty"`
	Target        string
	ReadOnly      bool           `json:",omitempty"`
	Consistency   string         `json:",omitempty"`
	BindOptions   *BindOptions   `json:",omitempty"`
	VolumeOptions *VolumeOptions `json:",omitempty"`
	TmpfsOptions  *TmpfsOptions  `json:",omitempty"`
}

// BindOptions are those of a mount of type bind.
type BindOptions struct {
	Propagation            string `json:",omitempty"`
	NonRecursive           bool   `json:",omitempty"`
	CreateMountpoint       bool   `json:",omitempty"`
	ReadOnlyNonRecursive   bool   `json:",omitempty"`
	ReadOnlyForceRecursive bool   `json:",omitempty"`
}

// VolumeOptions are those of a mount of type volume.
type VolumeOptions struct {
	NoCopy       bool              `json:",omitempty"`
	Labels       map[string]string `json:",omitempty"`
	Subpath      string            `json:",omitempty"`
	DriverConfig *DriverConfig     `json:",omitempty"`
}

// DriverConfig says how a volume is to be made.
type DriverConfig struct {
	Name    string            `json:",omitempty"`
	Options map[string]string `json:",omitempty"`
}

// TmpfsOptions are those of a mount of type tmpfs.
type TmpfsOptions struct {
	SizeBytes int64  `json:",omitempty"`
	Mode      uint32 `json:",omitempty"`
}

// MountPoint is a mount as `inspect` shows it.
type MountPoint struct {
	Type        string
	Name        string `json:",omitempty"` // of a volume
	Source      string
	Destination string
	Driver      string `json:",omitempty"`
	Mode        string
	RW          bool
	Propagation string
}
