/** Sets the chosen theme before the first paint: a script of its own in the head, as an inline one is not allowed. */
const chosen = localStorage.getItem('theme')
if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset['theme'] = chosen
