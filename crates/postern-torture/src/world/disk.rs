use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

/// Room for a run's data; a few times what a short one needs.
const ROOM: &str = "size=96m,mode=700";

/// A small disk of memory under a node's data, which can be full.
pub(crate) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts one at `folder`. None where that is not allowed.
    pub(crate) fn mount(folder: &Path) -> Result<Option<Self>> {
        fs::create_dir_all(folder)?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", ROOM, "postern-torture"]);
        let mounted = mount.arg(folder).output();
        let disk = Self {
            folder: folder.to_owned(),
        };
        Ok(mounted
            .is_ok_and(|mounted| mounted.status.success())
            .then_some(disk))
    }

    /// Takes all the room that is left.
    pub(crate) fn fill(&self) -> Result<()> {
        let mut ballast = File::options()
            .create(true)
            .append(true)
            .open(self.ballast())?;
        for size in [1 << 20, 4096] {
            let block = vec![0x55; size];
            while ballast.write_all(&block).is_ok() {}
        }
        if ballast.metadata()?.len() == 0 {
            bail!("the disk was full before");
        }
        Ok(())
    }

    /// Gives it back.
    pub(crate) fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
