import '../../parts/card.css'
import { Certificates } from './certificates.tsx'
import { Daemon } from './daemon.tsx'
import { Disk } from './disk.tsx'
import { Doctor } from './doctor.tsx'
import { Plugins } from './plugins.tsx'
import { Projects } from './projects.tsx'
import './style.css'

/** The daemon and this machine: checks with their fixes, plugins, known projects, certificates, disk. */
export default function System() {
  return (
    <section class="system" aria-label="System">
      <div class="columns">
        <div class="wide">
          <Doctor />
          <Projects />
          <Plugins />
        </div>
        <div class="side">
          <Daemon />
          <Certificates />
          <Disk />
        </div>
      </div>
    </section>
  )
}
