using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Orders.Testing.Tracing;

/// <summary>
/// Reads an <c>ExportTraceServiceRequest</c> of OTLP (opentelemetry/proto/trace/v1/trace.proto), by its field numbers.
/// </summary>
internal static class OtlpSpans
{
    /// <summary>The spans in a request.</summary>
    public static List<SeenSpan> Read(ReadOnlySpan<byte> request)
    {
        var spans = new List<SeenSpan>();
        var reader = new ProtoReader(request);
        while (reader.Read())
        {
            if (reader.Field == 1)
                ReadResource(reader.Bytes, spans);
        }

        return spans;
    }

    // ResourceSpans: 1 resource, 2 scope_spans.
    private static void ReadResource(ReadOnlySpan<byte> message, List<SeenSpan> spans)
    {
        var process = "";
        var reader = new ProtoReader(message);
        while (reader.Read())
        {
            if (reader.Field == 1)
                process = Attributes(reader.Bytes, field: 1).GetValueOrDefault("service.name", "");
        }

        reader = new ProtoReader(message);
        while (reader.Read())
        {
            if (reader.Field != 2)
                continue;
            // ScopeSpans: 2 spans.
            var scope = new ProtoReader(reader.Bytes);
            while (scope.Read())
            {
                if (scope.Field == 2)
                    spans.Add(ReadSpan(scope.Bytes, process));
            }
        }
    }

    // Span: 1 trace_id, 2 span_id, 4 parent_span_id, 5 name, 6 kind, 7 start_time_unix_nano,
    // 9 attributes, 13 links, 15 status.
    private static SeenSpan ReadSpan(ReadOnlySpan<byte> message, string process)
    {
        var (trace, id, parent, name, kind, start, isError) = ("", "", "", "", 0, 0L, false);
        var links = new List<(string, string)>();
        var reader = new ProtoReader(message);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 1:
                    trace = Convert.ToHexStringLower(reader.Bytes);
                    break;
                case 2:
                    id = Convert.ToHexStringLower(reader.Bytes);
                    break;
                case 4:
                    parent = Convert.ToHexStringLower(reader.Bytes);
                    break;
                case 5:
                    name = Encoding.UTF8.GetString(reader.Bytes);
                    break;
                case 6:
                    kind = (int)reader.Number;
                    break;
                case 7:
                    start = (long)reader.Number;
                    break;
                case 13:
                    links.Add(ReadLink(reader.Bytes));
                    break;
                case 15:
                    isError = IsError(reader.Bytes);
                    break;
            }
        }

        return new SeenSpan(
            trace,
            id,
            parent,
            name,
            // SPAN_KIND_INTERNAL is 1 there and 0 here.
            (ActivityKind)Math.Max(0, kind - 1),
            DateTimeOffset.UnixEpoch.AddTicks(start / 100),
            isError,
            Attributes(message, field: 9),
            links,
            process
        );
    }

    // Link: 1 trace_id, 2 span_id.
    private static (string Trace, string Span) ReadLink(ReadOnlySpan<byte> message)
    {
        var (trace, span) = ("", "");
        var reader = new ProtoReader(message);
        while (reader.Read())
        {
            if (reader.Field == 1)
                trace = Convert.ToHexStringLower(reader.Bytes);
            else if (reader.Field == 2)
                span = Convert.ToHexStringLower(reader.Bytes);
        }

        return (trace, span);
    }

    // Status: 3 code, and 2 of it is an error.
    private static bool IsError(ReadOnlySpan<byte> message)
    {
        var reader = new ProtoReader(message);
        while (reader.Read())
        {
            if (reader.Field == 3)
                return reader.Number == 2;
        }

        return false;
    }

    // KeyValue: 1 key, 2 value. AnyValue: 1 string, 2 bool, 3 int, 4 double; others are left out.
    private static Dictionary<string, string> Attributes(ReadOnlySpan<byte> message, int field)
    {
        var attributes = new Dictionary<string, string>();
        var reader = new ProtoReader(message);
        while (reader.Read())
        {
            if (reader.Field != field)
                continue;
            var (key, value) = ("", "");
            var pair = new ProtoReader(reader.Bytes);
            while (pair.Read())
            {
                if (pair.Field == 1)
                    key = Encoding.UTF8.GetString(pair.Bytes);
                else if (pair.Field == 2)
                    value = Value(pair.Bytes);
            }

            attributes[key] = value;
        }

        return attributes;
    }

    private static string Value(ReadOnlySpan<byte> message)
    {
        var reader = new ProtoReader(message);
        if (!reader.Read())
            return "";
        return reader.Field switch
        {
            1 => Encoding.UTF8.GetString(reader.Bytes),
            2 => reader.Number == 1 ? "true" : "false",
            3 => ((long)reader.Number).ToString(CultureInfo.InvariantCulture),
            4 => BitConverter.UInt64BitsToDouble(reader.Number).ToString(CultureInfo.InvariantCulture),
            _ => "",
        };
    }
}
