package io.sextant.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** Published numbers on the same files with the same protocol. */
final class Published {

  private Published() {}

  /** By model; empty where there are none. */
  static Map<String, Map<String, Double>> of(String protocol) {
    Map<String, Map<String, Double>> models = new LinkedHashMap<>();
    switch (protocol) {
      case "gowalla" -> {
        top20(models, "MostPop", .0416, .0317);
        top20(models, "MF-BPR", .1627, .1378);
        top20(models, "EASE", .1765, .1467);
        top20(models, "LightGCN", .1824, .1547);
        top20(models, "GF-CF", .1849, .1518);
        top20(models, "UltraGCN", .1862, .1580);
        top20(models, "SimpleX", .1872, .1557);
      }
      case "ml-1m-ultragcn" -> {
        top20(models, "NGCF", .2513, .2511);
        top20(models, "LightGCN", .2576, .2427);
        top20(models, "UltraGCN", .2787, .2642);
        top20(models, "SimpleX", .2802, .2670);
      }
      case "beauty" -> {
        top10(models, "Pop", .0152, .0068);
        top10(models, "SASRec (BCE)", .0605, .0318);
        top10(models, "S3-Rec", .0647, .0327);
        top10(models, "HSTU", .0788, .0439);
        top10(models, "SASRec + sampled softmax", .0921, .0531);
      }
      case "sports" -> {
        top10(models, "Pop", .0094, .0053);
        top10(models, "SASRec (BCE)", .0350, .0192);
        top10(models, "S3-Rec", .0385, .0204);
        top10(models, "HSTU", .0437, .0243);
        top10(models, "SASRec + sampled softmax", .0569, .0314);
      }
      case "yelp" -> {
        top10(models, "Pop", .0099, .0051);
        top10(models, "SASRec (BCE)", .0274, .0136);
        top10(models, "S3-Rec", .0341, .0168);
      }
      case "lastfm" -> {
        top10(models, "Pop", .0440, .0203);
        top10(models, "SASRec (BCE)", .0688, .0390);
        top10(models, "S3-Rec", .0743, .0427);
      }
      default -> {}
    }
    return models;
  }

  private static void top20(
      Map<String, Map<String, Double>> models, String model, double recall, double ndcg) {
    put(models, model, "recall@20", recall, "ndcg@20", ndcg);
  }

  private static void top10(
      Map<String, Map<String, Double>> models, String model, double hitRate, double ndcg) {
    put(models, model, "hr@10", hitRate, "ndcg@10", ndcg);
  }

  private static void put(
      Map<String, Map<String, Double>> models,
      String model,
      String first,
      double firstValue,
      String second,
      double secondValue) {
    Map<String, Double> values = new LinkedHashMap<>();
    values.put(first, firstValue);
    values.put(second, secondValue);
    models.put(model, values);
  }
}
