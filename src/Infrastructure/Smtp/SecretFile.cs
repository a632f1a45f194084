namespace Orders.Smtp;

/// <summary>Secrets that are given as they are, or in a file.</summary>
internal static class SecretFile
{
    /// <summary>The value, or what the file has now, without the line's end.</summary>
    /// <exception cref="SmtpLoginException">The file cannot be read, or is empty.</exception>
    public static async Task<string> ReadAsync(string? value, string? file, CancellationToken cancellationToken)
    {
        if (file is null)
            return value ?? "";
        try
        {
            var text = (await File.ReadAllTextAsync(file, cancellationToken)).Trim('\r', '\n');
            return text.Length > 0
                ? text
                : throw new SmtpLoginException($"Expected a secret in '{file}', found nothing.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SmtpLoginException($"Expected a secret in '{file}': {exception.Message}", exception);
        }
    }
}
