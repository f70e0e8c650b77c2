import type { ProjectDetector, ProjectFolder } from '../../kernel/contract/plugin.ts'
import { compileSeconds } from './go.ts'

/** A framework with a development server: how the build file names it, and what runs it. */
interface Framework {
  readonly named: RegExp
  readonly goal: string
  readonly task: string
  /** Its variable for the port. */
  readonly variable: string
}

const frameworks: readonly Framework[] = [
  {
    named: /spring[-.]?boot|springframework\.boot/i,
    goal: 'spring-boot:run',
    task: 'bootRun',
    variable: 'SERVER_PORT',
  },
  { named: /quarkus/i, goal: 'quarkus:dev', task: 'quarkusDev', variable: 'QUARKUS_HTTP_PORT' },
  { named: /micronaut/i, goal: 'mn:run', task: 'run', variable: 'MICRONAUT_SERVER_PORT' },
  // Its templates read the port from `${?PORT}`.
  { named: /\bktor\b/i, goal: 'exec:java', task: 'run', variable: 'PORT' },
]

/** Maven: the goal of its framework that runs the program. */
export const maven: ProjectDetector = {
  files: ['pom.xml', 'mvnw'],
  async detect(folder) {
    const text = await folder.read('pom.xml')
    if (text === undefined) return undefined
    const program = (await folder.has('mvnw')) ? './mvnw' : 'mvn'
    const found = frameworks.find(({ named }) => named.test(text))
    const example = (goal: string) => run('SERVER_PORT', `${program} ${goal}`)
    if (/<modules>/.test(text))
      return { reason: 'pom.xml has several modules', example: example('-pl server spring-boot:run') }
    if (found === undefined)
      return { reason: 'pom.xml names no framework that locald knows', example: example('compile exec:java') }
    return { file: 'pom.xml', services: run(found.variable, `${program} ${found.goal}`) }
  },
}

const gradleFiles = ['build.gradle.kts', 'build.gradle', 'app/build.gradle.kts', 'app/build.gradle'] as const

/** Gradle: the task of its framework that runs the program. */
export const gradle: ProjectDetector = {
  files: [...gradleFiles, 'gradlew'],
  async detect(folder) {
    const texts = await readAll(folder, gradleFiles)
    const [first] = texts
    if (first === undefined) return undefined
    const program = (await folder.has('gradlew')) ? './gradlew' : 'gradle'
    for (const { file, text } of texts) {
      const found = frameworks.find(({ named }) => named.test(text))
      if (found !== undefined) return { file, services: run(found.variable, `${program} ${found.task}`) }
    }
    const reason = `${first.file} names no framework that locald knows`
    return { reason, example: run('SERVER_PORT', `${program} run`) }
  },
}

async function readAll(folder: ProjectFolder, files: readonly string[]) {
  const texts = await Promise.all(files.map(async file => ({ file, text: await folder.read(file) })))
  return texts.flatMap(({ file, text }) => (text === undefined ? [] : [{ file, text }]))
}

function run(variable: string, command: string) {
  const port = variable === 'PORT' ? '' : `${variable}=$PORT `
  return { web: { command: `${port}${command}`, ready_timeout: compileSeconds } }
}
