import com.siemens.ct.exi.core.EXIFactory;
import com.siemens.ct.exi.core.grammars.Grammars;
import com.siemens.ct.exi.core.helpers.DefaultEXIFactory;
import com.siemens.ct.exi.main.api.sax.EXIResult;
import com.siemens.ct.exi.main.api.sax.EXISource;
import com.siemens.ct.exi.main.generatedgrammar.CommonAppProtocol;
import com.siemens.ct.exi.main.generatedgrammar.DINSpec_70121;
import com.siemens.ct.exi.main.generatedgrammar.ISO15118_20_V2G_CI_AC;
import com.siemens.ct.exi.main.generatedgrammar.ISO15118_20_V2G_CI_CommonMessages;
import com.siemens.ct.exi.main.generatedgrammar.ISO15118_20_V2G_CI_DC;
import com.siemens.ct.exi.main.generatedgrammar.ISO15118_2Grammar;
import com.siemens.ct.exi.main.messages.appProtocol.SupportedAppProtocolReq;
import com.siemens.ct.exi.main.messages.appProtocol.SupportedAppProtocolRes;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import javax.xml.bind.JAXBContext;
import javax.xml.bind.JAXBElement;
import javax.xml.bind.Marshaller;
import javax.xml.bind.Unmarshaller;
import javax.xml.namespace.QName;
import javax.xml.parsers.SAXParserFactory;
import javax.xml.transform.sax.SAXSource;
import javax.xml.transform.stream.StreamSource;
import org.eclipse.persistence.jaxb.JAXBContextFactory;
import org.xml.sax.Attributes;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;
import org.xml.sax.XMLReader;
import org.xml.sax.helpers.XMLFilterImpl;

/**
 * Translates between EXI and JSON for the process that started it, until its input ends.
 *
 * <p>A request on standard input: an octet ('d' decode, 'e' encode), an octet with the length of the namespace, the
 * namespace, four octets with the length of the content, the content. The answer on standard output: an octet (0 well,
 * 1 not), four octets with a length, the JSON or EXI, or the reason in words. Answers come in the order of requests;
 * they are sent when no further request waits.
 */
final class Bridge {
  /** Grammar and bindings of one namespace; building them takes far longer than a message. */
  private static final class Schema {
    private final EXIFactory exi = DefaultEXIFactory.newInstance();
    private final XMLReader parser;
    private final Unmarshaller fromXml;
    private final Marshaller toXml;
    private final Unmarshaller fromJson;
    private final Marshaller toJson;

    private final String rootNamespace;

    Schema(String rootNamespace, Grammars grammars, Class<?>... messages) throws Exception {
      this.rootNamespace = rootNamespace;
      SAXParserFactory parsers = SAXParserFactory.newInstance();
      parsers.setNamespaceAware(true);
      parser = parsers.newSAXParser().getXMLReader();
      exi.setGrammars(grammars);
      // ISO 15118-2, 7.9.1.3: strings are not remembered across a message, and grammars do not grow
      exi.setValueMaxLength(0);
      exi.setValuePartitionCapacity(0);
      exi.setMaximumNumberOfBuiltInElementGrammars(0);
      exi.setMaximumNumberOfBuiltInProductions(0);
      JAXBContext bindings = JAXBContextFactory.createContext(messages, new HashMap<>());
      fromXml = bindings.createUnmarshaller();
      toXml = bindings.createMarshaller();
      fromJson = bindings.createUnmarshaller();
      fromJson.setProperty("eclipselink.media-type", "application/json");
      fromJson.setProperty("eclipselink.json.include-root", true);
      toJson = bindings.createMarshaller();
      toJson.setProperty("eclipselink.media-type", "application/json");
      toJson.setProperty("eclipselink.json.include-root", true);
    }

    byte[] decode(byte[] octets) throws Exception {
      SAXSource source = new SAXSource(new InputSource(new ByteArrayInputStream(octets)));
      source.setXMLReader(new WithoutNothing(new EXISource(exi).getXMLReader()));
      StringWriter json = new StringWriter();
      toJson.marshal(fromXml.unmarshal(source), json);
      return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    byte[] encode(byte[] json) throws Exception {
      String text = new String(json, StandardCharsets.UTF_8);
      Object message = fromJson.unmarshal(new StreamSource(new StringReader(text)));
      ByteArrayOutputStream xml = new ByteArrayOutputStream();
      toXml.marshal(rootNamespace.isEmpty() ? message : named(message, text), xml);
      ByteArrayOutputStream octets = new ByteArrayOutputStream();
      EXIResult result = new EXIResult(exi);
      result.setOutputStream(octets);
      // through a parser, because the marshaller would hand over namespace declarations as attributes
      parser.setContentHandler(result.getHandler());
      parser.parse(new InputSource(new ByteArrayInputStream(xml.toByteArray())));
      return octets.toByteArray();
    }

    /** JSON names the message without its namespace, which EXI needs. */
    @SuppressWarnings("unchecked")
    private JAXBElement<Object> named(Object message, String json) {
      Object value = message instanceof JAXBElement ? ((JAXBElement<?>) message).getValue() : message;
      QName name = new QName(rootNamespace, json.split("\"", 3)[1]);
      return new JAXBElement<>(name, (Class<Object>) value.getClass(), value);
    }
  }

  /**
   * Leaves out elements of abstract type, of which only what takes their place has content: some stations write them
   * empty where they have nothing to say, and the bindings refuse the whole message over it.
   */
  private static final class WithoutNothing extends XMLFilterImpl {
    private static final String INSTANCE = "http://www.w3.org/2001/XMLSchema-instance";
    private static final Set<String> NOTHING = new HashSet<>(Arrays.asList("SASchedules"));

    private int depth;

    WithoutNothing(XMLReader reader) {
      super(reader);
    }

    @Override
    public void startElement(String uri, String name, String qualified, Attributes attributes) throws SAXException {
      if (depth > 0 || (NOTHING.contains(name) && attributes.getValue(INSTANCE, "type") == null)) {
        depth++;
      } else {
        super.startElement(uri, name, qualified, attributes);
      }
    }

    @Override
    public void endElement(String uri, String name, String qualified) throws SAXException {
      if (depth > 0) {
        depth--;
      } else {
        super.endElement(uri, name, qualified);
      }
    }

    @Override
    public void characters(char[] text, int start, int length) throws SAXException {
      if (depth == 0) {
        super.characters(text, start, length);
      }
    }
  }

  private static final Map<String, Schema> SCHEMAS = new HashMap<>();

  private static Schema schema(String namespace) throws Exception {
    Schema known = SCHEMAS.get(namespace);
    if (known == null) {
      known = build(namespace);
      SCHEMAS.put(namespace, known);
    }
    return known;
  }

  private static Schema build(String namespace) throws Exception {
    switch (namespace) {
      case "urn:iso:15118:2:2010:AppProtocol":
        return new Schema("", new CommonAppProtocol(), SupportedAppProtocolReq.class, SupportedAppProtocolRes.class);
      case "urn:din:70121:2012:MsgDef":
        return new Schema("", new DINSpec_70121(), com.siemens.ct.exi.main.messages.dinspec.V2GMessage.class);
      case "urn:iso:15118:2:2013:MsgDef":
        return new Schema("", new ISO15118_2Grammar(), com.siemens.ct.exi.main.messages.iso15118_2.V2G_Message.class);
      case "urn:iso:std:iso:15118:-20:CommonMessages":
        return new Schema(
            namespace,
            new ISO15118_20_V2G_CI_CommonMessages(),
            com.siemens.ct.exi.main.messages.iso15118_20.commonmessages.V2GMessageType.class);
      case "urn:iso:std:iso:15118:-20:AC":
        return new Schema(
            namespace,
            new ISO15118_20_V2G_CI_AC(),
            com.siemens.ct.exi.main.messages.iso15118_20.ac.V2GMessageType.class);
      case "urn:iso:std:iso:15118:-20:DC":
        return new Schema(
            namespace,
            new ISO15118_20_V2G_CI_DC(),
            com.siemens.ct.exi.main.messages.iso15118_20.dc.V2GMessageType.class);
      default:
        throw new IllegalArgumentException("there is no grammar for " + namespace);
    }
  }

  public static void main(String[] arguments) throws IOException {
    DataInputStream requests = new DataInputStream(new BufferedInputStream(System.in, 1 << 16));
    DataOutputStream answers = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 16));
    System.setOut(System.err); // what the libraries print must not come between the answers
    try {
      while (true) {
        if (requests.available() == 0) {
          answers.flush();
        }
        answer(requests, answers);
      }
    } catch (EOFException end) {
      answers.flush();
    }
  }

  private static void answer(DataInputStream requests, DataOutputStream answers) throws IOException {
    boolean decode = requests.readUnsignedByte() == 'd';
    byte[] namespace = requests.readNBytes(requests.readUnsignedByte());
    byte[] content = requests.readNBytes(requests.readInt());
    byte[] answer;
    int problem = 0;
    try {
      Schema schema = schema(new String(namespace, StandardCharsets.US_ASCII));
      answer = decode ? schema.decode(content) : schema.encode(content);
    } catch (Throwable error) { // whatever the libraries do over bad octets, the next message is another
      problem = 1;
      answer = reason(error).getBytes(StandardCharsets.UTF_8);
    }
    answers.writeByte(problem);
    answers.writeInt(answer.length);
    answers.write(answer);
  }

  /** The innermost cause; what wraps it only says that something went wrong. */
  private static String reason(Throwable error) {
    if (error instanceof OutOfMemoryError) {
      return "a length inside says more than any message holds";
    }
    Throwable inner = error;
    while (inner.getCause() != null && inner.getCause() != inner) {
      inner = inner.getCause();
    }
    String words = inner.getMessage();
    String kind = inner.getClass().getSimpleName();
    return words == null || words.isBlank() ? kind : kind + ": " + words.strip();
  }
}
