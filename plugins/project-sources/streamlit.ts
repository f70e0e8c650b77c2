import type { ProjectDetector } from '../../kernel/contract/plugin.ts'
import { findPython, pythonFiles } from './python.ts'

const files = ['streamlit_app.py', 'app.py', 'main.py'] as const

/** Streamlit: a script that imports it. */
export const streamlit: ProjectDetector = {
  files: [...files, ...pythonFiles],
  async detect(folder) {
    for (const file of files) {
      const text = await folder.read(file)
      if (text === undefined || !/^[ \t]*(?:import|from)[ \t]+streamlit\b/m.test(text)) continue
      const { command } = await findPython(folder)
      return { file, services: { web: { command: `${command} -m streamlit run ${file}` } }, watched: [] }
    }
    return undefined
  },
}
