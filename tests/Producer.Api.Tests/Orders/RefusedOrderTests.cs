using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Orders.Producer.Api.Tests.Orders;

internal sealed class RefusedOrderTests : ApiFixture
{
    // The promise is ten; the server's own limit for headers is thirty.
    private static readonly TimeSpan TenSecondsOnALoadedMachine = TimeSpan.FromSeconds(25);

    [TestCaseSource(typeof(RefusedBodyTests), nameof(RefusedBodyTests.Misshapen))]
    [TestCaseSource(typeof(RefusedBodyTests), nameof(RefusedBodyTests.Meaningless))]
    public async Task A_bad_body_is_refused_with_every_fault_and_nothing_of_it_in_the_answer(
        byte[] body,
        int status,
        string code,
        string[] pointers
    )
    {
        var answer = await SendAsync(HttpMethod.Post, "/orders", Alice, Json(body));
        Assert.Multiple(() =>
        {
            Assert.That(answer.Status, Is.EqualTo(status), answer.ToString());
            Assert.That(answer.Code, Is.EqualTo(code));
            Assert.That(answer.Pointers, Is.EquivalentTo(pointers), answer.ToString());
            Assert.That(answer.Body["traceId"]?.GetValue<string>(), Has.Length.EqualTo(32));
            Assert.That(
                answer.Text,
                Does.Not.Contain("canary").And.Not.Contain("Müller").And.Not.Contain("Bcc").And.Not.Contain("PLAID")
            );
        });
    }

    [Test]
    public async Task A_shape_fault_hides_the_meaning_until_it_is_fixed()
    {
        var answer = await PostAsync(
            SampleOrder.WithQuantity("0").Replace("\"premium\":false", "\"premium\":0", StringComparison.Ordinal)
        );
        Assert.That((answer.Status, string.Join(' ', answer.Pointers)), Is.EqualTo((400, "/premium")));
    }

    [TestCase("text/plain")]
    [TestCase("application/xml")]
    [TestCase("multipart/form-data; boundary=x")]
    [TestCase("application/json; charset=utf-16")]
    [TestCase("application/json; charset=utf-8; profile=x")]
    [TestCase("application/problem+json")]
    [TestCase("json")]
    [TestCase(null)]
    public async Task Another_media_type_is_refused(string? type)
    {
        var content = Json(SampleOrder.Text);
        content.Headers.Remove("Content-Type");
        if (type is not null)
            content.Headers.TryAddWithoutValidation("Content-Type", type);
        var answer = await SendAsync(HttpMethod.Post, "/orders", Alice, content);
        Assert.That((answer.Status, answer.Code), Is.EqualTo((415, "unsupported-media-type")));
    }

    [TestCase("application/json; charset=utf-8")]
    [TestCase("application/json;charset=\"UTF-8\"")]
    [TestCase("Application/JSON")]
    public async Task The_media_type_may_name_the_charset(string type)
    {
        var content = Json(SampleOrder.Text);
        content.Headers.Remove("Content-Type");
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        Assert.That((await SendAsync(HttpMethod.Post, "/orders", Alice, content)).Status, Is.EqualTo(202));
    }

    [Test]
    public async Task A_packed_body_is_refused()
    {
        var content = Json(SampleOrder.Text);
        content.Headers.ContentEncoding.Add("gzip");
        Assert.That((await SendAsync(HttpMethod.Post, "/orders", Alice, content)).Status, Is.EqualTo(415));
    }

    [Test]
    public async Task A_body_of_65536_bytes_is_read_and_one_byte_more_is_refused()
    {
        var largest = SampleOrder.Text.PadRight(
            64 * 1024 - (Encoding.UTF8.GetByteCount(SampleOrder.Text) - SampleOrder.Text.Length)
        );
        Assert.That(Encoding.UTF8.GetByteCount(largest), Is.EqualTo(65_536));
        var fits = await PostAsync(largest);
        var larger = await PostAsync(largest + " ");
        Assert.That((fits.Status, larger.Status, larger.Code), Is.EqualTo((202, 413, "body-too-large")));
    }

    [Test]
    public async Task A_chunked_body_is_measured_as_it_comes()
    {
        var fits = await SendAsync(HttpMethod.Post, "/orders", Alice, new Pieces(SampleOrder.Text, 200));
        Assert.That(fits.Status, Is.EqualTo(202), fits.ToString());
        var larger = await SendAsync(
            HttpMethod.Post,
            "/orders",
            Alice,
            new Pieces(SampleOrder.Text.PadRight(65_537), 3)
        );
        Assert.That((larger.Status, larger.Code), Is.EqualTo((413, "body-too-large")));
    }

    [Test]
    public async Task An_endless_body_is_cut_off()
    {
        using var connection = await RawConnection.OpenAsync(Api.Address);
        await connection.WriteAsync(
            $"POST /orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {Alice}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        var sent = await connection.FloodAsync("1000\r\n" + new string(' ', 0x1000) + "\r\n", upTo: 1L << 30);
        Assert.That(
            await connection.ReadAsync(),
            Does.StartWith("HTTP/1.1 413").And.Contains("body-too-large").And.Contains("Connection: close")
        );
        Assert.That(sent, Is.LessThan(64 << 20), "bytes taken of 1 GiB");
    }

    [Test]
    public async Task A_body_that_trickles_is_cut_within_ten_seconds()
    {
        using var connection = await RawConnection.OpenAsync(Api.Address);
        await connection.WriteAsync(
            $"POST /orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {Alice}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{{"
        );
        var since = System.Diagnostics.Stopwatch.StartNew();
        Assert.That(await connection.ReadAsync(), Is.Empty.Or.StartsWith("HTTP/1.1 408"));
        Assert.That(since.Elapsed, Is.LessThan(TenSecondsOnALoadedMachine));
    }

    [Test]
    public async Task Headers_that_trickle_are_cut_within_ten_seconds()
    {
        using var connection = await RawConnection.OpenAsync(Api.Address);
        await connection.WriteAsync("POST /orders HTTP/1.1\r\nHost: x\r\nX-Slow: ");
        var since = System.Diagnostics.Stopwatch.StartNew();
        Assert.That(await connection.ReadAsync(), Is.Empty.Or.StartsWith("HTTP/1.1 408"));
        Assert.That(since.Elapsed, Is.LessThan(TenSecondsOnALoadedMachine));
    }

    [TestCase("PUT", "/orders", "GET, POST")]
    [TestCase("DELETE", "/orders/019ab1c2-7d3e-7f00-8a1b-5c9d2e4f6a70", "GET")]
    public async Task A_wrong_method_is_told_the_right_ones(string method, string path, string allowed)
    {
        var answer = await SendAsync(new HttpMethod(method), path, Alice);
        Assert.That(
            (
                answer.Status,
                answer.Code,
                answer
                    .Headers["Allow"]
                    .Replace(",", ", ", StringComparison.Ordinal)
                    .Replace("  ", " ", StringComparison.Ordinal)
            ),
            Is.EqualTo((405, "method-not-allowed", allowed))
        );
    }

    [TestCase("/nothing")]
    [TestCase("/orders/42")]
    [TestCase("/orders/019ab1c2-7d3e-7f00-8a1b-5c9d2e4f6a70/nothing")]
    public async Task An_unknown_address_is_a_problem_like_any_other(string path)
    {
        var answer = await GetAsync(path);
        Assert.That((answer.Status, answer.Code), Is.EqualTo((404, "not-found")));
    }

    [TearDown]
    public async Task No_row_is_left_of_what_was_refused()
    {
        var context = TestContext.CurrentContext.Test;
        if (
            context.MethodName
            is nameof(The_media_type_may_name_the_charset)
                or nameof(A_body_of_65536_bytes_is_read_and_one_byte_more_is_refused)
                or nameof(A_chunked_body_is_measured_as_it_comes)
        )
            await Database.ExecuteAsync("truncate orders, order_lines, order_progress, outbox");
        Assert.That(
            await Database.CountAsync("orders")
                + await Database.CountAsync("outbox")
                + await Database.CountAsync("posted_keys"),
            Is.Zero,
            "rows of a refused order"
        );
    }

    /// <summary>A chunked body in pieces.</summary>
    private sealed class Pieces : HttpContent
    {
        private readonly byte[] _bytes;
        private readonly int _pieces;

        public Pieces(string text, int pieces)
        {
            (_bytes, _pieces) = (Encoding.UTF8.GetBytes(text), pieces);
            Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            foreach (var piece in _bytes.Chunk((_bytes.Length + _pieces - 1) / _pieces))
            {
                await stream.WriteAsync(piece);
                await stream.FlushAsync();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
