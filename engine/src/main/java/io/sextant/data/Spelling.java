package io.sextant.data;

/** How far two words are apart. */
final class Spelling {

  private Spelling() {}

  /** The Levenshtein distance, of the first 64 characters of each word. */
  static int distance(String first, String second) {
    String a = first.length() > 64 ? first.substring(0, 64) : first;
    String b = second.length() > 64 ? second.substring(0, 64) : second;
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int change = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(change, 1 + Math.min(previous[j], current[j - 1]));
      }
      previous = current;
    }
    return previous[b.length()];
  }
}
