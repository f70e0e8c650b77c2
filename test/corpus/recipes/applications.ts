/** The files of an Angular application, with what its version needs besides. */
export function angularApplication(more: {
  readonly build?: Readonly<Record<string, unknown>>
  readonly compilerOptions?: Readonly<Record<string, unknown>>
}): Readonly<Record<string, string>> {
  const options = { browser: 'src/main.ts', tsConfig: 'tsconfig.json', ...more.build }
  const architect = {
    build: {
      builder: '@angular/build:application',
      options,
      configurations: { development: { optimization: false, sourceMap: true } },
    },
    serve: { builder: '@angular/build:dev-server', options: { buildTarget: 'app:build:development' } },
  }
  const compilerOptions = {
    ...{ target: 'ES2022', module: 'preserve', moduleResolution: 'bundler', skipLibCheck: true },
    ...more.compilerOptions,
  }
  return {
    'angular.json': JSON.stringify({
      version: 1,
      projects: { app: { projectType: 'application', root: '', sourceRoot: 'src', architect } },
    }),
    'tsconfig.json': JSON.stringify({ compilerOptions, files: ['src/main.ts'] }),
    'src/index.html': '<!doctype html><html><head><base href="/"></head><body><app-root></app-root></body></html>',
    'src/main.ts': `import { Component } from '@angular/core'
import { bootstrapApplication } from '@angular/platform-browser'
@Component({ selector: 'app-root', template: '<h1>before the change</h1>' })
class App {}
bootstrapApplication(App)
`,
  }
}

/** The files of a Nest application, with what its version needs of TypeScript. */
export function nestApplication(more: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const compilerOptions = {
    ...{ target: 'es2022', outDir: 'dist', skipLibCheck: true },
    ...{ experimentalDecorators: true, emitDecoratorMetadata: true },
    ...more,
  }
  return {
    'nest-cli.json': '{ "sourceRoot": "src" }',
    'tsconfig.json': JSON.stringify({ compilerOptions }),
    'src/main.ts': `import 'reflect-metadata'
import { Controller, Get, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
@Controller()
class Page {
  @Get() get() { return 'nest answers' }
}
@Module({ controllers: [Page] })
class App {}
void NestFactory.create(App).then(app => app.listen(process.env.PORT ?? 3000))
`,
  }
}
