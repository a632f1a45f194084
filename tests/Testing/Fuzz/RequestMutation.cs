namespace Orders.Testing.Fuzz;

/// <summary>Changes a valid request in one to three places; one of ten stays valid.</summary>
/// <param name="keys">Values of Authorization besides the valid one: other roles, other clients.</param>
internal sealed class RequestMutation(IReadOnlyList<string> keys)
{
    private static readonly string[] Methods =
    [
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "TRACE",
        "get",
        "PROPFIND",
        "X",
    ];

    private static readonly string[] Headers =
    [
        "Idempotency-Key",
        "Accept",
        "Accept-Encoding",
        "Accept-Language",
        "Content-Encoding",
        "If-None-Match",
        "If-Modified-Since",
        "Range",
        "Last-Event-ID",
        "Cookie",
        "Origin",
        "Referer",
        "traceparent",
        "tracestate",
        "baggage",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Prefix",
        "X-HTTP-Method-Override",
        "X-Unknown",
        "HX-Request",
    ];

    public FuzzRequest Of(FuzzRequest valid, Random random)
    {
        var request = valid;
        for (var left = random.Next(10) == 0 ? 0 : 1 + (random.Next(3) * random.Next(2)); left > 0; left--)
            request = Once(request, random);
        return request;
    }

    private FuzzRequest Once(FuzzRequest request, Random random)
    {
        // Most at what the route reads.
        var kind = random.Next(request.Body is null ? 10 : 20);
        return kind switch
        {
            < 3 => request with { Path = Path(request.Path, random) },
            < 6 => request with { Query = Query(request.Query, random) },
            6 => request with { Method = Pick(Methods, random) },
            7 => Header(request, random),
            8 => request.With("Authorization", Key(random)),
            9 when request.Body is null => request with { Body = "{\"unexpected\":1}"u8.ToArray() },
            9 => request.With("Content-Type", Pick(NastyValues.ContentTypes, random)),
            10 => Header(request, random),
            _ => request with { Body = JsonMutation.Of(request.Body!, random) },
        };
    }

    private static string Path(string path, Random random)
    {
        var segments = path.Split('/');
        var at = random.Next(1, segments.Length);
        switch (random.Next(8))
        {
            case 0:
                return path + "/";
            case 1:
                return path + "/" + Pick(NastyValues.Escaped, random);
            case 2:
                return path.ToUpperInvariant();
            case 3:
                return path.Replace("/", "//", StringComparison.Ordinal);
            case 4:
                return path + string.Concat(Enumerable.Repeat("/a", random.Next(1200)));
            default:
                segments[at] = Pick(NastyValues.Escaped, random);
                return string.Join('/', segments);
        }
    }

    private static List<(string, string)> Query(IReadOnlyList<(string Name, string Value)> query, Random random)
    {
        var changed = query.ToList();
        var at = changed.Count == 0 ? -1 : random.Next(changed.Count);
        switch (at < 0 ? 7 : random.Next(8))
        {
            case 0:
                changed.RemoveAt(at);
                break;
            case 1:
                changed.Add(changed[at]);
                break;
            case 2:
                changed[at] = (Pick(NastyValues.Escaped, random), changed[at].Value);
                break;
            case 7:
                changed.Add((random.Next(2) == 0 ? "unknown" : "limit", Pick(NastyValues.Escaped, random)));
                break;
            default:
                changed[at] = (changed[at].Name, Pick(NastyValues.Escaped, random));
                break;
        }

        return changed;
    }

    private static FuzzRequest Header(FuzzRequest request, Random random)
    {
        var name = Pick(Headers, random);
        var changed = request.With(name, Pick(NastyValues.Headers, random));
        // Twice, with two values.
        return random.Next(5) == 0
            ? changed with
            {
                Headers = [.. changed.Headers, (name, Pick(NastyValues.Headers, random))],
            }
            : changed;
    }

    private string? Key(Random random) =>
        random.Next(3) switch
        {
            0 => null,
            1 => $"Bearer {Pick(NastyValues.Headers, random)}",
            _ => Pick(keys, random),
        };

    private static T Pick<T>(IReadOnlyList<T> values, Random random) => values[random.Next(values.Count)];
}
