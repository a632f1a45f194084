using System.Text;
using System.Text.Json.Nodes;

namespace Orders.Producer.Api.Tests.Orders;

/// <summary>Orders with faults that nobody thought of.</summary>
internal sealed class MutatedOrderTests : ApiFixture
{
    private const int Orders = 4000;

    private static readonly string[] Pieces =
    [
        "null",
        "true",
        "[]",
        "{}",
        "\"\"",
        "0",
        "-1",
        "1e9",
        "1.5",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\u202e\"",
        "[[[[[[[[[[",
        "}}",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "//",
        "NaN",
        "99999999999999999999",
        "\"id\":1,",
        "\"lines\":[],",
        "\"\\ud83d\\ude00\"",
        "\u2028",
        "\u0001",
        "\"2026-01-01T00:00:00Z\"",
        "\"MUG-BLUE\"",
        "\"EUR\"",
    ];

    [Test]
    public async Task Are_accepted_or_refused_but_never_break_anything()
    {
        // Always the same ones: what it finds, it finds in the change that brings it. Drawn ones are for the fuzz tests.
        var random = new Random(1);
        var bodies = Enumerable.Range(0, Orders).Select(_ => Mutate(random)).ToArray();
        var accepted = 0;
        await Parallel.ForEachAsync(
            bodies,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (body, _) =>
            {
                var answer = await SendAsync(HttpMethod.Post, "/orders", Alice, Json(body));
                if (answer.Status == 202)
                    Interlocked.Increment(ref accepted);
                else
                    Check(body, answer);
            }
        );
        Assert.That(
            await Database.CountAsync("orders"),
            Is.EqualTo(accepted),
            "rows for accepted orders, none for refused ones"
        );
        Assert.That(await Database.CountAsync("outbox"), Is.EqualTo(accepted), "messages of accepted orders");
        Assert.That(accepted, Is.InRange(1, Orders - 1), "a fuzz that is all accepted or all refused tests nothing");
    }

    private static void Check(byte[] body, Answer answer)
    {
        var what = $"{answer}\nto {Encoding.UTF8.GetString(body)}";
        Assert.That(answer.Status, Is.EqualTo(400).Or.EqualTo(422), what);
        Assert.That(answer.Code, Is.EqualTo(answer.Status == 400 ? "malformed-body" : "invalid-order"), what);
        Assert.That(answer.Pointers, Is.Not.Empty, what);
        Assert.That(answer.Text, Does.Not.Contain("Müller"), what);
    }

    private static byte[] Mutate(Random random)
    {
        if (random.Next(2) == 0)
            return MutateTree(random);

        var text = SampleOrder.Text;
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var (at, length) = (random.Next(text.Length), random.Next(1, 12));
            text = random.Next(4) switch
            {
                0 => text.Remove(at, Math.Min(length, text.Length - at)),
                1 => text.Insert(at, Pieces[random.Next(Pieces.Length)]),
                2 => text.Insert(at, text.Substring(at, Math.Min(length, text.Length - at))),
                _ => string.Concat(text.AsSpan(0, at), ((char)random.Next(1, 0x250)).ToString(), text.AsSpan(at + 1)),
            };
            if (text.Length == 0)
                break;
        }

        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length > 0 && random.Next(5) == 0)
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        return bytes;
    }

    // Well-formed JSON, so that the meaning is reached.
    private static byte[] MutateTree(Random random)
    {
        var order = JsonNode.Parse(SampleOrder.Text)!;
        var objects = new[]
        {
            order.AsObject(),
            order["customer"]!.AsObject(),
            order["lines"]![0]!.AsObject(),
            order["shippingAddress"]!.AsObject(),
        };
        var target = objects[random.Next(objects.Length)];
        var member = target.ElementAt(random.Next(target.Count)).Key;
        target[member] = random.Next(7) switch
        {
            0 => null,
            1 => random.Next(-5, 2000),
            2 => random.NextDouble(),
            3 => new string((char)random.Next(0x20, 0xD7FF), random.Next(0, 600)),
            4 => random.Next(2) == 0,
            5 => new JsonArray(1, "x"),
            _ => string.Concat(Enumerable.Range(0, random.Next(1, 40)).Select(_ => (char)random.Next(0x20, 0x2FF))),
        };
        return Encoding.UTF8.GetBytes(order.ToJsonString());
    }
}
