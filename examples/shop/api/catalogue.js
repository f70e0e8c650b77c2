/** What the shop sells; prices in cents. */
export const catalogue = [
  { id: 'mug', name: 'Morning mug', about: 'Holds two coffees, or one long thought.', price: 2400, tint: 'sand' },
  { id: 'teapot', name: 'Round teapot', about: 'Pours without a drop on the table.', price: 6800, tint: 'sage' },
  { id: 'bowl', name: 'Deep bowl', about: 'For soup, noodles and second helpings.', price: 3200, tint: 'rose' },
  { id: 'plate', name: 'Supper plate', about: 'Glazed twice, chips rarely.', price: 2800, tint: 'sky' },
  { id: 'jug', name: 'Water jug', about: 'One litre and a steady hand.', price: 5200, tint: 'sage' },
  { id: 'vase', name: 'Slender vase', about: 'Best with a single branch.', price: 4600, tint: 'sand' },
]
