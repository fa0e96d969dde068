package io.sextant.models;

import java.util.Collection;
import java.util.Comparator;
import java.util.stream.Collectors;

/** What is said of a word that is not known: what is, and what may have been meant. */
final class UnknownKey {

  private UnknownKey() {}

  static String message(String where, String path, String key, Collection<String> known) {
    return "recipe %s: unknown key '%s'%s; known here: %s"
        .formatted(
            where,
            path,
            suggestion(key, known),
            known.stream().sorted().collect(Collectors.joining(", ")));
  }

  /** A question for the nearest known word, or nothing if none is near. */
  static String suggestion(String word, Collection<String> known) {
    return known.stream()
        .min(Comparator.comparingInt(k -> distance(word, k)))
        .filter(k -> distance(word, k) <= Math.max(2, word.length() / 3))
        .map(k -> ": did you mean '" + k + "'?")
        .orElse("");
  }

  /** Levenshtein's distance, ignoring case. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        boolean same =
            Character.toLowerCase(a.charAt(i - 1)) == Character.toLowerCase(b.charAt(j - 1));
        int next = Math.min(Math.min(row[j], row[j - 1]) + 1, diagonal + (same ? 0 : 1));
        diagonal = row[j];
        row[j] = next;
      }
    }
    return row[b.length()];
  }
}
