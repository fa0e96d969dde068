package io.sextant.data;

import io.sextant.InvalidInputException;
import java.util.ArrayList;
import java.util.List;

/** Splitting lines, and telling which separator a line has. */
final class Delimiters {

  private static final List<String> CANDIDATES = List.of("\t", "::", ",", ";", "|", " ");

  private Delimiters() {}

  /** The fields between the separators, as they are. */
  static List<String> split(String line, String separator) {
    List<String> fields = new ArrayList<>();
    int from = 0;
    while (true) {
      int at = line.indexOf(separator, from);
      if (at < 0) {
        fields.add(line.substring(from));
        return fields;
      }
      fields.add(line.substring(from, at));
      from = at + separator.length();
    }
  }

  /** The words between runs of white space. */
  static List<String> words(String line) {
    List<String> words = new ArrayList<>();
    int length = line.length();
    int at = 0;
    while (at < length) {
      while (at < length && isBlank(line.charAt(at))) {
        at++;
      }
      int from = at;
      while (at < length && !isBlank(line.charAt(at))) {
        at++;
      }
      if (at > from) {
        words.add(line.substring(from, at));
      }
    }
    return words;
  }

  /** The error for a line that the separator does not divide, naming the one that does. */
  static InvalidInputException wrong(String where, String line, String separator, int needed) {
    StringBuilder message =
        new StringBuilder(
            "%s has %d field(s) separated by %s but at least %d are needed: %s"
                .formatted(
                    where,
                    split(line, separator).size(),
                    name(separator),
                    needed,
                    RejectedRow.shorten(line)));
    for (String candidate : CANDIDATES) {
      if (!candidate.equals(separator) && split(line, candidate).size() >= needed) {
        message.append(
            ". It seems to be separated by %s: give that as the separator, or %s"
                .formatted(name(candidate), formatOf(candidate)));
        break;
      }
    }
    return new InvalidInputException(message.toString());
  }

  private static String formatOf(String separator) {
    return switch (separator) {
      case "\t" -> "read it in the format tsv";
      case "::" -> "read it in the format movielens";
      case "," -> "read it in the format csv";
      case " " -> "read it in the format pairs or lists";
      default -> "replace it by commas";
    };
  }

  static String name(String separator) {
    return switch (separator) {
      case "\t" -> "a tab";
      case " " -> "white space";
      default -> "'" + separator + "'";
    };
  }

  private static boolean isBlank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == 0x0B;
  }
}
