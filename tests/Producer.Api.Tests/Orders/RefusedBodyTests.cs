using System.Text;

namespace Orders.Producer.Api.Tests.Orders;

/// <summary>Bodies that are refused: the name of the case, the body, what must be answered.</summary>
internal static class RefusedBodyTests
{
    private const string Shape = "malformed-body";
    private const string Meaning = "invalid-order";

    public static IEnumerable<TestCaseData> Misshapen()
    {
        yield return Case("empty body", "", "");
        yield return Case("opened only", "{", "");
        yield return Case("null", "null", "");
        yield return Case("array", "[]", "");
        yield return Case("string", "\"order\"", "");
        yield return Case("trailing comma", SampleOrder.With("\"releaseAt\":null}", "\"releaseAt\":null,}"), "");
        yield return Case("comment", SampleOrder.With("{\"customer\"", "{/* hello */\"customer\""), "");
        yield return Case("NaN", SampleOrder.WithQuantity("NaN"), "");
        yield return Case("two documents", SampleOrder.Text + SampleOrder.Text, "");
        yield return Case("text after the end", SampleOrder.Text + " x", "");
        yield return Case("byte order mark", "\uFEFF" + SampleOrder.Text, "");
        yield return Case("raw line break in a text", SampleOrder.WithNotes("\"a\nb\""), "");
        yield return Case("depth 9", SampleOrder.WithNotes("[[[[[[[[1]]]]]]]]"), "");
        yield return Case("10,000 brackets", new string('[', 10_000), "");
        yield return Case("10,000 brackets in a member", SampleOrder.WithNotes(new string('[', 10_000)), "");
        yield return Case(
            "duplicate member",
            SampleOrder.With("\"currency\":\"EUR\"", "\"currency\":\"EUR\",\"currency\":\"USD\""),
            "/currency"
        );
        yield return Case(
            "duplicate member, escaped",
            SampleOrder.With("\"currency\":\"EUR\"", "\"currency\":\"EUR\",\"curren\\u0063y\":\"USD\""),
            "/currency"
        );
        yield return Case("wrong-case member", SampleOrder.With("\"currency\"", "\"Currency\""), "/currency");
        yield return Case("wrong-case member below", SampleOrder.With("\"email\"", "\"eMail\""), "/customer/email");
        yield return Case(
            "unknown member",
            SampleOrder.With("\"premium\"", "\"canary9f3\":{\"a\":[1]},\"premium\""),
            ""
        );
        yield return Case(
            "unknown member below",
            SampleOrder.With("\"city\"", "\"canary9f3\":1,\"city\""),
            "/shippingAddress"
        );
        yield return Case(
            "half a surrogate pair as a member",
            SampleOrder.With("\"premium\"", "\"\\ud800\":1,\"premium\""),
            ""
        );
        yield return Case("id", SampleOrder.With("{\"customer\"", "{\"id\":\"x\",\"customer\""), "/id");
        yield return Case(
            "status",
            SampleOrder.With("{\"customer\"", "{\"status\":\"Completed\",\"customer\""),
            "/status"
        );
        yield return Case("total", SampleOrder.With("{\"customer\"", "{\"total\":1,\"customer\""), "/total");
        yield return Case(
            "clientId",
            SampleOrder.With("{\"customer\"", "{\"clientId\":\"bob\",\"customer\""),
            "/clientId"
        );
        yield return Case(
            "unit price",
            SampleOrder.With("\"quantity\":2", "\"quantity\":2,\"unitPrice\":0.01"),
            "/lines/0/unitPrice"
        );
        yield return Case(
            "customer missing",
            SampleOrder.With("\"customer\":{\"name\":\"Zoë Müller\",\"email\":\"zoe@example.com\"},", ""),
            "/customer"
        );
        yield return Case(
            "customer null",
            SampleOrder.With("{\"name\":\"Zoë Müller\",\"email\":\"zoe@example.com\"}", "null"),
            "/customer"
        );
        yield return Case("name 42", SampleOrder.WithName("42"), "/customer/name");
        yield return Case("name missing", SampleOrder.With("\"name\":\"Zoë Müller\",", ""), "/customer/name");
        yield return Case("name with half a surrogate pair", SampleOrder.WithName("\"a\\ud83d\""), "/customer/name");
        yield return Case(
            "lines missing",
            SampleOrder.With("\"lines\":[{\"sku\":\"MUG-BLUE\",\"quantity\":2}],", ""),
            "/lines"
        );
        yield return Case("lines an object", SampleOrder.WithLines("{}"), "/lines");
        yield return Case("line null", SampleOrder.WithLines("[null]"), "/lines/0");
        yield return Case(
            "second line an array",
            SampleOrder.WithLines("""[{"sku":"MUG-BLUE","quantity":2},[]]"""),
            "/lines/1"
        );
        yield return Case("sku missing", SampleOrder.WithLines("""[{"quantity":2}]"""), "/lines/0/sku");
        yield return Case("sku a number", SampleOrder.With("\"MUG-BLUE\"", "7"), "/lines/0/sku");
        foreach (var quantity in new[] { "1.5", "1e2", "\"2\"", "true", "null", "2147483648", "1.0", "[]" })
            yield return Case($"quantity {quantity}", SampleOrder.WithQuantity(quantity), "/lines/0/quantity");
        yield return Case("quantity with a leading zero", SampleOrder.WithQuantity("02"), "");
        yield return Case("locale a number", SampleOrder.WithLocale("49"), "/customer/locale");
        yield return Case("premium null", SampleOrder.With("\"premium\":false", "\"premium\":null"), "/premium");
        yield return Case(
            "premium a string",
            SampleOrder.With("\"premium\":false", "\"premium\":\"false\""),
            "/premium"
        );
        yield return Case("notes a number", SampleOrder.WithNotes("1"), "/notes");
        yield return Case("release a number", SampleOrder.WithReleaseAt("1764000000"), "/releaseAt");
        yield return Case(
            "many faults",
            """{"customer":{"name":1},"lines":[{"sku":2}],"total":3}""",
            "/customer/name",
            "/customer/email",
            "/lines/0/sku",
            "/lines/0/quantity",
            "/total",
            "/currency",
            "/shippingAddress"
        );
        yield return new TestCaseData(Latin1("é"), 400, Shape, new[] { "" }).SetArgDisplayNames("invalid UTF-8");
        yield return new TestCaseData(
            (byte[])[.. Encoding.UTF8.GetBytes("{\"customer\":{\"name\":\""), 0xED, 0xA0, 0x80],
            400,
            Shape,
            new[] { "" }
        ).SetArgDisplayNames("a surrogate in UTF-8");

        static TestCaseData Case(string name, string body, params string[] pointers) =>
            new TestCaseData(Encoding.UTF8.GetBytes(body), 400, Shape, pointers).SetArgDisplayNames(name);

        static byte[] Latin1(string name) => Encoding.Latin1.GetBytes(SampleOrder.WithName($"\"{name}\""));
    }

    public static IEnumerable<TestCaseData> Meaningless()
    {
        var name = "/customer/name";
        yield return Case("name empty", SampleOrder.WithName("\"\""), name);
        yield return Case("name blank", SampleOrder.WithName("\" \\u00a0\\u3000\""), name);
        yield return Case("name invisible", SampleOrder.WithName("\"\\u200b\\u3164\""), name);
        yield return Case("name of 101 characters", SampleOrder.WithName($"\"{new string('ü', 101)}\""), name);
        yield return Case("name with CR LF", SampleOrder.WithName("\"a\\r\\nBcc: x@y.z\""), name);
        yield return Case("name with NUL", SampleOrder.WithName("\"a\\u0000b\""), name);
        yield return Case("name with a line separator", SampleOrder.WithName("\"a\\u2028b\""), name);
        yield return Case("name with a bidi override", SampleOrder.WithName("\"a\\u202egpj.exe\""), name);
        yield return Case("name with a bidi isolate", SampleOrder.WithName("\"a\\u2066b\""), name);
        yield return Case("name with C1", SampleOrder.WithName("\"a\\u0085b\""), name);
        foreach (
            var mail in new[]
            {
                "a@",
                "@b.c",
                "a",
                "",
                "a@b",
                "a@b.c\\r\\nBcc: x@y.z",
                "a@b.c, d@e.f",
                "a@b.c;d@e.f",
                "A <a@b.c>",
                "a b@c.d",
                "a@b@c.d",
                "\\\"a\\\"@b.c",
                "a..b@c.de",
                ".a@b.cd",
                "a.@b.cd",
                "a@-b.cd",
                "a@b-.cd",
                "a@b..cd",
                "a@[1.2.3.4]",
                "a@1.2.3.4",
                "a@b.cd.",
                "a@b_c.de",
                "ä@b.cd",
                "a@b.c\\u0000d",
                "a@b.cd ",
            }
        )
        {
            yield return Case($"mail {mail}", SampleOrder.WithMail($"\"{mail}\""), "/customer/email");
        }

        yield return Case(
            "mail of 255 characters",
            SampleOrder.WithMail(
                $"\"a@{string.Concat(Enumerable.Repeat(new string('b', 50) + ".", 4))}{new string('c', 48)}.d\""
            ),
            "/customer/email"
        );
        yield return Case("no lines", SampleOrder.WithLines("[]"), "/lines");
        yield return Case(
            "101 lines",
            SampleOrder.WithLines(
                $"[{string.Join(',', Enumerable.Range(0, 101).Select(i => $$"""{"sku":"S-{{i}}","quantity":1}"""))}]"
            ),
            ["/lines", .. Enumerable.Range(0, 99).Select(i => $"/lines/{i}/sku")]
        );
        yield return Case(
            "same sku twice",
            SampleOrder.WithLines(
                """[{"sku":"MUG-BLUE","quantity":2},{"sku":"TEA-GREEN","quantity":1},{"sku":"MUG-BLUE","quantity":1}]"""
            ),
            "/lines/2/sku"
        );
        yield return Case("sku unknown", SampleOrder.With("MUG-BLUE", "MUG-PLAID"), "/lines/0/sku");
        yield return Case("sku discontinued", SampleOrder.With("MUG-BLUE", "LAMP-OLD"), "/lines/0/sku");
        yield return Case("sku in small letters", SampleOrder.With("MUG-BLUE", "mug-blue"), "/lines/0/sku");
        foreach (var quantity in new[] { "0", "-1", "1001", "-2147483648", "2147483647" })
            yield return Case($"quantity {quantity}", SampleOrder.WithQuantity(quantity), "/lines/0/quantity");
        foreach (var locale in new[] { "", "fr", "DE", "de_DE", "de-DE-1996", "en ", "e", "canary" })
            yield return Case($"locale '{locale}'", SampleOrder.WithLocale($"\"{locale}\""), "/customer/locale");
        foreach (var currency in new[] { "eur", "XXX", "", "EUR ", "CHF" })
            yield return Case($"currency '{currency}'", SampleOrder.With("\"EUR\"", $"\"{currency}\""), "/currency");
        foreach (var country in new[] { "ZZ", "de", "DEU", "", "UK" })
            yield return Case(
                $"country '{country}'",
                SampleOrder.With("\"DE\"", $"\"{country}\""),
                "/shippingAddress/country"
            );
        yield return Case("city blank", SampleOrder.With("\"Hamburg\"", "\" \""), "/shippingAddress/city");
        yield return Case(
            "street with a tab",
            SampleOrder.With("Hafenstr. 1", "Hafenstr.\\t1"),
            "/shippingAddress/line1"
        );
        yield return Case(
            "postal code of 21 characters",
            SampleOrder.With("20457", new string('1', 21)),
            "/shippingAddress/postalCode"
        );
        foreach (var postalCode in new[] { "", "\"postalCode\":null,", "\"postalCode\":\"\"," })
            yield return Case(
                $"postal code in Germany: {postalCode}",
                SampleOrder.With("\"postalCode\":\"20457\",", postalCode),
                "/shippingAddress/postalCode"
            );
        yield return Case(
            "postal code blank in Hong Kong",
            SampleOrder.With("\"20457\",\"country\":\"DE\"", "\" \",\"country\":\"HK\""),
            "/shippingAddress/postalCode"
        );
        yield return Case("notes of 501 characters", SampleOrder.WithNotes($"\"{new string('n', 501)}\""), "/notes");
        yield return Case("notes with a line break", SampleOrder.WithNotes("\"a\\nb\""), "/notes");
        foreach (
            var moment in new[]
            {
                "tomorrow",
                "",
                "2026-12-24",
                "2026-12-24T08:00:00",
                "2099-01-01T00:00:00Z",
                "24.12.2026 08:00",
                "2026-13-01T00:00:00Z",
                "2026-01-01T00:00:00.1234567890Z",
                "2026-01-01T00:00:00.Z",
                "2026-01-01 00:00:00Z",
                "z",
            }
        )
            yield return Case($"release at '{moment}'", SampleOrder.WithReleaseAt($"\"{moment}\""), "/releaseAt");
        yield return Case(
            "many faults",
            """{"customer":{"name":"","email":"x"},"lines":[{"sku":"?","quantity":0}],"currency":"x","shippingAddress":{"line1":"","city":"","postalCode":"","country":""}}""",
            name,
            "/customer/email",
            "/currency",
            "/shippingAddress/line1",
            "/shippingAddress/city",
            "/shippingAddress/postalCode",
            "/shippingAddress/country",
            "/lines/0/quantity",
            "/lines/0/sku"
        );

        static TestCaseData Case(string name, string body, params string[] pointers) =>
            new TestCaseData(Encoding.UTF8.GetBytes(body), 422, Meaning, pointers).SetArgDisplayNames(name);
    }
}
