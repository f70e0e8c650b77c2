/** A style sheet of a screen: the bundler makes a module of it, which adds the sheet to the document. */
declare module '*.css'
