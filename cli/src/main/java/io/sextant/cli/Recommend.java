package io.sextant.cli;

import ai.djl.Device;
import io.sextant.InvalidInputException;
import io.sextant.tensor.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Lists from a bundle, without what the user has seen: the {@code --history} if there is one, else
 * the user's history in the bundle. A bundle without histories serves a known user by the id
 * embedding alone and leaves nothing out.
 */
@Command(name = "recommend", description = "Lists with scores for users or for a history.")
final class Recommend implements Callable<Integer> {

  @Mixin private CommonOptions common = new CommonOptions();

  @Option(names = "--model", required = true, description = "folder of the bundle")
  private Path model = Path.of("");

  @Option(names = "--user", description = "a user id; may be repeated")
  private List<String> users = new ArrayList<>();

  @Option(
      names = "--history",
      description = "file with one item id a line, oldest first; default: that in the bundle")
  private @Nullable Path history;

  @Option(names = "-k", description = "length of the lists (default: ${DEFAULT-VALUE})")
  private int k = 10;

  @Option(names = "--include-seen", description = "also recommend items of the history")
  private boolean includeSeen;

  @Option(
      names = "--explain",
      description = "say why: a sentence, and what strategies, history and policy add to the score")
  private boolean explain;

  @Option(
      names = "--strategy",
      description = "one strategy of the bundle; default: its policy, else its last strategy")
  private @Nullable String strategy;

  @Override
  public Integer call() {
    List<String> items = history == null ? null : read(history);
    if (users.isEmpty() && history == null) {
      throw new InvalidInputException("say for whom: --user ID or --history FILE");
    }
    if (users.size() > 1 && history != null) {
      throw new InvalidInputException("--history is of one user: give at most one --user with it");
    }
    Device device = common.device();
    List<Map<String, Object>> lists = new ArrayList<>();
    Map<String, Object> result = new LinkedHashMap<>();
    try (LoadedModel loaded = LoadedModel.open(model, device, strategy)) {
      result.put("strategy", loaded.served().name());
      loaded.policyVersion().ifPresent(version -> result.put("policyVersion", version));
      if (items == null && loaded.histories().isEmpty()) {
        System.err.println(
            "the bundle holds no histories: nothing that a user has seen is left out; --history FILE says what it is");
      }
      if (users.isEmpty()) {
        lists.add(list(loaded, null, items));
      }
      for (String user : users) {
        lists.add(list(loaded, user, items));
      }
    }
    result.put("lists", lists);
    common.write("recommend", Devices.name(device), result);
    return 0;
  }

  private Map<String, Object> list(
      LoadedModel loaded, @Nullable String user, @Nullable List<String> items) {
    List<LoadedModel.Item> ranked = loaded.recommend(user, items, k, includeSeen);
    List<Reason> reasons = explain ? loaded.explain(user, items, k, includeSeen) : List.of();
    String name = user == null ? "(history)" : user;
    for (int i = 0; i < ranked.size(); i++) {
      LoadedModel.Item item = ranked.get(i);
      System.out.printf("%s\t%s\t%s\t%s%n", name, item.id(), item.score(), loaded.title(item.id()));
      if (explain) {
        System.out.print(reasons.get(i).text());
      }
    }
    Map<String, Object> list = new LinkedHashMap<>(Map.of("user", name, "items", ranked));
    if (explain) {
      list.put("reasons", reasons);
    }
    return list;
  }

  private static List<String> read(Path file) {
    try {
      return Files.readAllLines(file).stream()
          .map(String::strip)
          .filter(s -> !s.isEmpty())
          .toList();
    } catch (IOException e) {
      throw new InvalidInputException("history " + file + " cannot be read: " + e, e);
    }
  }
}
