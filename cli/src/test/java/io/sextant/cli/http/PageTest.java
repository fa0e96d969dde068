package io.sextant.cli.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.sextant.cli.Trained;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page in a browser, as a visitor uses it. */
class PageTest {

  @TempDir Path folder;

  @Test
  void aVisitorPicksAUserSeesReasonsAndClicks() throws Exception {
    Optional<Path> chromium = Browser.find();
    Assumptions.assumeTrue(
        chromium.isPresent(), "no Chromium on the path, nor named by SEXTANT_CHROMIUM");
    try (Service service = new Service(Trained.model(folder));
        Browser browser =
            new Browser(chromium.orElseThrow(), folder.resolve("profile"), service.http.url())) {
      browser.await("!!document.getElementById('model')?.textContent.includes('UP')");

      type(browser, "user", "u1", "change");
      browser.await("document.querySelectorAll('#list > li').length === 8");
      List<String> titles = browser.texts("#list .title");
      assertThat(browser.texts("#list .sentence")).hasSize(8).allMatch(text -> text.endsWith("."));
      assertThat(browser.evaluate("document.querySelectorAll('#list meter').length").asInt())
          .isGreaterThanOrEqualTo(8);

      browser.evaluate("document.querySelector('#list .click').click()");
      browser.await(
          "document.querySelector('#list .title').textContent !== '%s'".formatted(titles.get(0)));
      assertThat(browser.texts("#list .title")).doesNotContain(titles.get(0));

      type(browser, "item", "i12", "input");
      browser.await("document.querySelectorAll('#found button').length > 0");
      browser.evaluate("document.querySelector('#found button').click()");
      browser.await("document.getElementById('message').textContent === 'For this history'");
      assertThat(browser.texts("#history li")).containsExactly("i12");
      browser.evaluate("document.querySelector('#list .click').click()");
      browser.await("document.querySelectorAll('#history li').length === 2");

      type(browser, "user", "<b>nobody</b>", "change");
      browser.await("document.getElementById('message').textContent.includes('<b>nobody</b>')");
      assertThat(browser.evaluate("document.querySelector('main b') === null").asBoolean())
          .isTrue();
    }
  }

  private static void type(Browser browser, String field, String text, String event)
      throws Exception {
    browser.evaluate(
        "{const f = document.getElementById('%s'); f.value = '%s'; f.dispatchEvent(new Event('%s'));}"
            .formatted(field, text, event));
  }
}
