/** What Query and restXml share. */
export function escapeXml(text: string): string {
  return text.replace(NO_CHARACTER, "\ufffd").replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** What XML cannot say, not even escaped; a message may repeat it from JSON. https://www.w3.org/TR/xml/#charsets */
const NO_CHARACTER = /[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
