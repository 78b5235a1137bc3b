/** Every sentence about photos of meals in English. */
export const words = {
  'photo.add': 'Add a photo',
  'photo.addTo': 'Add a photo of {meal}',
  'photo.chosen': 'Another photo',
  'photo.without': 'Without a photo',
  'photo.preview': 'The photo that goes with the meal',
  'photo.sending': 'The photo is on its way',
  'photo.open': 'Photo of {meal}',
  'photo.close': 'Close',
  'photo.remove': 'Delete the photo',
  'photo.removeTitle': 'Delete this photo?',
  'photo.removeText': 'The meal stays, the photo is gone for good.',
  'photo.removed': 'Photo deleted',
  'photo.saved': 'Photo saved',
  'photo.unreadable': 'This file is no picture that can be read here. Take a JPEG or PNG.',
  'photo.gone': 'The photo cannot be shown without the hub.',
  'photo.notKept':
    'The meal is kept, its photo is not: without the hub there is no room for it here. Add it to the meal below when the hub is back.',
  'meals.today': 'Meals today',
  'meals.of': 'Meals',
  'meals.none': 'No meal noted down today.',
} as const
