namespace Orders.OutsideWorld.Smtp;

/// <summary>
/// What reading a line brought: a line without its CRLF, valid until the next read; a line too long to keep; or the end
/// of the connection.
/// </summary>
internal readonly record struct SmtpLine(ReadOnlyMemory<byte> Bytes, bool IsTooLong = false, bool IsEnd = false)
{
    public static SmtpLine TooLong => new(default, IsTooLong: true);

    public static SmtpLine End => new(default, IsEnd: true);
}
