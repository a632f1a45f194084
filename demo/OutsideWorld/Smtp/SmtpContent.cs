using System.Buffers;

namespace Orders.OutsideWorld.Smtp;

/// <summary>How the content of a mail ended.</summary>
internal enum ContentEnd
{
    /// <summary>With its final dot.</summary>
    Dot,

    /// <summary>
    /// With its final dot, but it was larger than allowed; the beginning is kept.
    /// </summary>
    TooLarge,

    /// <summary>
    /// With its final dot, but a line was longer than <see cref="SmtpLimits.Line"/>; that line is left out.
    /// </summary>
    LineTooLong,

    /// <summary>The headers were through, and no more was wanted.</summary>
    Headers,

    /// <summary>The client left.</summary>
    ClientLeft,

    /// <summary>The server goes down, or the client was silent for too long.</summary>
    CutOff,
}

/// <summary>The content of a mail, from DATA to the final dot.</summary>
internal readonly record struct SmtpContent(byte[] Bytes, ContentEnd End)
{
    /// <summary>Reads the content and takes the stuffed dots out (RFC 5321, 4.5.2).</summary>
    /// <param name="connection">Where it comes from.</param>
    /// <param name="headersOnly">Stop after the headers, in the middle of DATA.</param>
    /// <param name="largest">The most bytes that are kept.</param>
    public static async Task<SmtpContent> ReadAsync(SmtpServerConnection connection, bool headersOnly, int largest)
    {
        var content = new ArrayBufferWriter<byte>(2048);
        var end = ContentEnd.Dot;
        while (true)
        {
            SmtpLine line;
            try
            {
                line = await connection.ReadLineAsync();
            }
            catch (IOException)
            {
                // A client killed in mid-DATA resets the connection. What it has sent so far is evidence.
                line = SmtpLine.End;
            }
            catch (OperationCanceledException)
            {
                return new SmtpContent(content.WrittenSpan.ToArray(), ContentEnd.CutOff);
            }

            if (line.IsEnd)
                return new SmtpContent(content.WrittenSpan.ToArray(), ContentEnd.ClientLeft);
            if (line.IsTooLong)
            {
                end = end == ContentEnd.Dot ? ContentEnd.LineTooLong : end;
                continue;
            }

            if (line.Bytes.Span.SequenceEqual("."u8))
                return new SmtpContent(content.WrittenSpan.ToArray(), end);
            if (!TryAppend(content, line.Bytes.Span, largest))
                end = ContentEnd.TooLarge;
            if (headersOnly && line.Bytes.IsEmpty)
                return new SmtpContent(content.WrittenSpan.ToArray(), ContentEnd.Headers);
        }
    }

    private static bool TryAppend(ArrayBufferWriter<byte> content, ReadOnlySpan<byte> line, int largest)
    {
        if (line.StartsWith("."u8))
            line = line[1..];
        if (content.WrittenCount + line.Length + 2 > largest)
            return false;
        content.Write(line);
        content.Write("\r\n"u8);
        return true;
    }
}
